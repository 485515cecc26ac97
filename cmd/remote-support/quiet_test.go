package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/deliver"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/until"
)

// quietNet is a network namespace of its own in which every packet that anybody
// sends, to whatever address, goes to one interface, where it is seen. What it
// runs runs in it.
type quietNet struct {
	t     *testing.T
	jobs  chan func()
	watch int // packet socket on all interfaces

	mu   sync.Mutex
	seen []string
}

// newQuietNet makes the namespace on a thread of its own. The thread ends with
// the test, and the namespace with it.
func newQuietNet(t *testing.T) *quietNet {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to make a network namespace")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip is missing (Debian package iproute2)")
	}
	q := &quietNet{t: t, jobs: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is thrown away
		ready <- q.enter()
		for f := range q.jobs {
			f()
		}
	}()
	if err := <-ready; err != nil {
		close(q.jobs)
		t.Skip("cannot make a network namespace here:", err)
	}
	done := make(chan struct{})
	go q.look(done)
	t.Cleanup(func() {
		close(q.jobs)
		close(done)
	})
	return q
}

func (q *quietNet) enter() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	for _, args := range []string{"link set lo up", "route add default dev lo", "-6 route add default dev lo"} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil && !strings.HasPrefix(args, "-6") {
			return fmt.Errorf("ip %s: %v %s", args, err, out)
		}
	}
	var err error
	all := int(uint16(unix.ETH_P_ALL)<<8 | uint16(unix.ETH_P_ALL)>>8)
	if q.watch, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, all); err != nil {
		return err
	}
	return nil
}

// look notes every packet until the end of the test.
func (q *quietNet) look(done <-chan struct{}) {
	defer unix.Close(q.watch)
	b := make([]byte, 2048)
	for {
		n, _, err := unix.Recvfrom(q.watch, b, 0)
		if err == nil {
			q.mu.Lock()
			if len(q.seen) < 1000 {
				q.seen = append(q.seen, describe(b[:n]))
			}
			q.mu.Unlock()
			continue
		}
		select {
		case <-done:
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// describe names a packet by its ends.
func describe(p []byte) string {
	if len(p) >= 24 && p[0]>>4 == 4 {
		return fmt.Sprintf("IPv4 protocol %d to %v port %d", p[9], p[16:20], int(p[22])<<8|int(p[23]))
	}
	return fmt.Sprintf("% x", p[:min(len(p), 16)])
}

// packets takes what was seen since the last call.
func (q *quietNet) packets() []string {
	time.Sleep(20 * time.Millisecond) // what is on its way to the watcher
	q.mu.Lock()
	defer q.mu.Unlock()
	seen := q.seen
	q.seen = nil
	return seen
}

// listening lists the sockets of the namespace that wait for somebody.
func (q *quietNet) listening() (found []string) {
	done := make(chan struct{})
	q.jobs <- func() {
		defer close(done)
		for _, name := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6"} {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/thread-self/net/%s", name))
			for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
				f := strings.Fields(line)
				if i > 0 && len(f) > 3 && (f[3] == "0A" || !strings.HasPrefix(name, "tcp")) {
					found = append(found, name+" "+f[1])
				}
			}
		}
	}
	<-done
	return found
}

// start begins a command in the namespace.
func (q *quietNet) start(args ...string) *exec.Cmd {
	q.t.Helper()
	cmd := exec.Command("remote-support", args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := make(chan error)
	q.jobs <- func() { err <- cmd.Start() } // the child is where the thread is
	if err := <-err; err != nil {
		q.t.Fatal(err)
	}
	return cmd
}

func (q *quietNet) run(args ...string) string {
	q.t.Helper()
	cmd := q.start(args...)
	_ = cmd.Wait()
	return cmd.Stdout.(*bytes.Buffer).String()
}

// REQ H6, A5: nothing leaves the machine, and nothing listens, unless somebody
// runs send-bundle or turns remote support on: not when it is installed and
// first used, not at boot, not when the configuration is built, not while the
// agent runs for a while with bundles in its queue; and that the same watch sees
// what leaves when remote support is on.
func TestNothingLeaves(t *testing.T) {
	q := newQuietNet(t)
	dir, err := os.MkdirTemp("", "quiet")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	root, err := paths.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	silent := func(when string) {
		t.Helper()
		if p := q.packets(); len(p) > 0 {
			t.Errorf("%s: %d packets left: %q", when, len(p), p[:min(len(p), 10)])
		}
		if l := q.listening(); len(l) > 0 {
			t.Errorf("%s: somebody listens: %q", when, l)
		}
	}
	agent := func(f func()) {
		t.Helper()
		cmd := q.start("serve", "--root", dir)
		until.OK(t, "the agent answers", func() error { _, err := control.Dial(context.Background(), root.ControlSocket()); return err })
		f()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}

	// Installed: the first commands make the key and the state.
	q.run("status", "--root", dir)
	q.run("identity", "--root", dir)
	q.run("plugin", "list", "--root", dir)
	q.run("ports", "--rss", "rss.example.com", "--root", dir)
	silent("installed")

	// Enrolled, elsewhere, with a bundle in the queue: everything that it takes to
	// call somebody.
	enrolled(t, root)
	q.run("status", "--root", dir)
	silent("enrolled")

	// Built, with remote support off, and said to be off.
	for _, cfg := range []string{"", "REMOTE_SUPPORT_ENABLE=\"no\"\nREMOTE_SUPPORT_PROXY=\"https://proxy.example.com:3128\"\n"} {
		if err := os.WriteFile(root.LocalConfig(), []byte(cfg), 0o644); err != nil {
			t.Fatal(err)
		}
		if out := q.run("build-config", "--root", dir); strings.Contains(out, "bundle") {
			t.Errorf("build-config while it is off: %s", out)
		}
		silent("build-config")
	}

	// Booted, and up for a while, with configuration and policy changing.
	agent(func() {
		q.run("build-config", "--root", dir)
		q.run("reload", "--root", dir)
		q.run("off", "--root", dir)
		time.Sleep(2 * time.Second)
		silent("the agent runs")
	})
	silent("the agent has ended")

	// Editing is not building: still nothing.
	if err := os.WriteFile(root.LocalConfig(), []byte("REMOTE_SUPPORT_ENABLE=\"yes\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	agent(func() {
		time.Sleep(1500 * time.Millisecond)
		silent("the switch is edited and not built")
	})

	// The watch is not blind: on is seen.
	if err := os.MkdirAll(root.Policies(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root.Policies(), "few.hcl"), []byte("bundles { collectors = [\"latchstring\"] }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := q.start("build-config", "--root", dir)
	sees(t, q, "build-config while remote support is on")
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	agent(func() { sees(t, q, "the agent, with the global switch") })
}

// sees waits for a packet. Without one the silence of before would show nothing.
func sees(t *testing.T, q *quietNet, what string) {
	t.Helper()
	until.True(t, what+" is seen", func() bool { return len(q.packets()) > 0 })
}

// enrolled makes a system that knows a relay, which it cannot reach from the
// namespace, and puts a bundle into its queue.
func enrolled(t *testing.T, root paths.Root) {
	t.Helper()
	relay := relaytest.New(t)
	system, err := identity.Open(root.Identity())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Enroll(t.Context(), system, relay.Token("quiet"), "", "quiet.test", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Vendor.RSS = "203.0.113.7:443" // RFC 5737: nobody
	if err := system.Pin(resp.Vendor, false); err != nil {
		t.Fatal(err)
	}
	q, err := deliver.OpenQueue(root.Queue())
	if err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(t.TempDir(), "bundle")
	if err := os.WriteFile(bundle, []byte("a bundle"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Add(bundle, deliver.Info{Filename: "waiting.tar.zst.age"}); err != nil {
		t.Fatal(err)
	}
}
