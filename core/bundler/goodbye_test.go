package bundler

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/disable/goodbye"
	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

// REQ G6, H10: bundles go on from a system on which remote access is disabled
// for good, and the first one tells the relay, which was not reached before.
func TestBundleTellsOfTheSeal(t *testing.T) {
	relay := relaytest.New(t)
	b := open(t, "")
	enroll(t, b, relay)
	if err := seal.Seal(b.p.Root, seal.Record{SealedAt: time.Now(), System: b.System().ID(), Bundles: true}); err != nil {
		t.Fatal(err)
	}
	vendor, err := b.System().Vendor()
	if err != nil || !goodbye.Pending(b.p.Root, vendor) {
		t.Fatalf("nothing to tell: %v", err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "hello\n")
	for range 2 {
		made, err := makeBundle(t, b, onlyFiles(dir))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Deliver(t.Context(), made.Queued, Delivery{}); err != nil {
			t.Fatal(err)
		}
	}
	if goodbye.Pending(b.p.Root, vendor) {
		t.Error("the relay was not told")
	}
	told := 0
	for r, err := range audit.Read(b.p.Root.Audit()) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Type == audit.SealTold {
			told++
		}
	}
	if told != 1 || !strings.Contains(events(t, b), "bundle.sent") {
		t.Errorf("told %d times, %s", told, events(t, b))
	}
}
