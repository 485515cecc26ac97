package goodbye

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

// world is a relay and a system that it knows.
func world(t *testing.T) (*relaytest.Pair, paths.Root, *identity.System) {
	t.Helper()
	p := relaytest.NewPair(t)
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Make(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(p.System.Dir(), root.Identity()); err != nil {
		t.Fatal(err)
	}
	s, err := identity.Open(root.Identity())
	if err != nil {
		t.Fatal(err)
	}
	return p, root, s
}

func refused(t *testing.T, p *relaytest.Pair, s *identity.System) bool {
	t.Helper()
	_, err := relaytest.Announce(t.Context(), p.ClientOf(s, p.Vendor), p.Vendor)
	var e *api.Error
	return errors.As(err, &e) && e.Code == api.CodeSealed
}

// REQ G6: from the moment that the relay knows, the system's key opens no
// session there; bundles go on.
func TestTell(t *testing.T) {
	p, root, s := world(t)
	if told, err := Tell(t.Context(), root, s, p.Vendor, nil); told || err != nil {
		t.Errorf("a system that is not sealed told %t, %v", told, err)
	}
	if refused(t, p, s) {
		t.Fatal("refused before")
	}
	if err := seal.Seal(root, seal.Record{SealedAt: time.Now(), System: s.ID(), Bundles: true}); err != nil {
		t.Fatal(err)
	}
	// Not reached: it is still to be done, and said so.
	down := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no network") }
	if told, err := Tell(t.Context(), root, s, p.Vendor, down); told || err == nil || !Pending(root, p.Vendor) {
		t.Errorf("no network: %t, %v, pending %t", told, err, Pending(root, p.Vendor))
	}
	if told, err := Tell(t.Context(), root, s, p.Vendor, nil); !told || err != nil {
		t.Fatalf("%t, %v", told, err)
	}
	if last, ok := Last(root); !ok || last.RSS != p.Vendor.RSS || last.Unknown || Pending(root, p.Vendor) {
		t.Errorf("%+v, %t", last, ok)
	}
	if !refused(t, p, s) {
		t.Error("the relay opens a session to a sealed system")
	}
	if _, err := p.ClientOf(s, p.Vendor).Health(t.Context()); err != nil {
		t.Errorf("bundles: %v", err)
	}
	if told, err := Tell(t.Context(), root, s, p.Vendor, down); told || err != nil {
		t.Errorf("again: %t, %v", told, err)
	}
	// Another relay does not know yet, and neither does one that is told anew.
	elsewhere := p.Vendor
	elsewhere.RSS = "other.example:443"
	if !Pending(root, elsewhere) {
		t.Error("another relay counts as told")
	}
	if err := os.Remove(toldPath(root)); err != nil {
		t.Fatal(err)
	}
	if told, err := Tell(t.Context(), root, s, p.Vendor, nil); !told || err != nil {
		t.Errorf("told twice: %t, %v", told, err)
	}
}

// A relay that knows no such system has nothing to take away.
func TestTellUnknown(t *testing.T) {
	p, root, _ := world(t)
	stranger, err := identity.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.Seal(root, seal.Record{SealedAt: time.Now(), System: stranger.ID()}); err != nil {
		t.Fatal(err)
	}
	told, err := Tell(t.Context(), root, stranger, p.Vendor, nil)
	if last, _ := Last(root); !told || err != nil || !last.Unknown || Pending(root, p.Vendor) {
		t.Errorf("%t, %v, %+v", told, err, last)
	}
}
