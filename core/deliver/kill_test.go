package deliver

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/until"
)

// child starts this test binary anew, to run one test with a role to play. It
// is killed, not asked to end.
func child(t *testing.T, test string, env ...string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill() // SIGKILL
		cmd.Wait()
	})
	t.Cleanup(kill)
	return kill
}

// REQ J2: kill -9 of the relay in the middle of an upload.
func TestRelayIsKilled(t *testing.T) {
	if dir := os.Getenv("DELIVER_TEST_RELAY"); dir != "" {
		root, err := paths.New(dir)
		if err != nil {
			t.Fatal(err)
		}
		relaytest.Open(t, root, os.Getenv("DELIVER_TEST_ADDRESS"))
		time.Sleep(time.Minute) // until killed
		return
	}
	w := newWorld(t)
	it, body := w.add(6 << 20)
	w.relay.Stop()
	start := func() func() {
		return child(t, "TestRelayIsKilled", "DELIVER_TEST_RELAY="+w.relay.Root.Dir, "DELIVER_TEST_ADDRESS="+w.relay.Address)
	}
	kill := start()
	kills := 0
	s := w.sender(func(o *Options) {
		o.Rate = 12 << 20
		o.Progress = func(sent, total int64) {
			if kills < 2 && sent > total*int64(kills+1)/3 {
				kills++
				kill()
				kill = start()
			}
		}
	})
	sent, err := s.Send(t.Context(), it.ID)
	kill()
	if err != nil || kills != 2 {
		t.Fatalf("Send = %v after %d kills", err, kills)
	}
	w.relay.Start()
	w.arrived(sent, body)
}

// REQ J2: kill -9 of the sender in the middle of an upload.
func TestSenderIsKilled(t *testing.T) {
	if dir := os.Getenv("DELIVER_TEST_SENDER"); dir != "" {
		sendForever(t, dir, os.Getenv("DELIVER_TEST_IDENTITY"), os.Getenv("DELIVER_TEST_ITEM"))
		return
	}
	w := newWorld(t)
	it, body := w.add(6 << 20)
	kill := child(t, "TestSenderIsKilled", "DELIVER_TEST_SENDER="+w.dir, "DELIVER_TEST_IDENTITY="+w.sys.Dir(), "DELIVER_TEST_ITEM="+it.ID)
	intake := filepath.Join(w.relay.Root.Var("rss"), "intake")
	until.True(t, "the other process has sent a quarter", func() bool {
		got, _ := w.queue.Get(it.ID)
		fi, err := os.Stat(filepath.Join(intake, got.Upload))
		return err == nil && got.Upload != "" && fi.Size() > it.Size/4
	})
	kill()
	first := int64(-1)
	sent, err := w.sender(func(o *Options) {
		o.Progress = func(sent, total int64) {
			if first < 0 {
				first = sent
			}
		}
	}).Send(t.Context(), it.ID)
	if err != nil {
		t.Fatal(err)
	}
	if first < it.Size/8 {
		t.Errorf("the next process began at %d of %d", first, it.Size)
	}
	w.arrived(sent, body)
}

func sendForever(t *testing.T, dir, identityDir, id string) {
	t.Helper()
	q, err := OpenQueue(filepath.Join(dir, "queue"))
	if err != nil {
		t.Fatal(err)
	}
	sys, err := identity.Open(identityDir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := sys.Vendor()
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(filepath.Join(dir, "audit"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, sys: sys, vendor: v, queue: q, log: log}
	_, err = w.sender(func(o *Options) { o.Rate = 2 << 20 }).Send(t.Context(), id)
	t.Fatalf("the process was not killed: %v", err)
}
