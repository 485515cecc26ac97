package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/infinibox"
	"github.com/latchstring/latchstring/testdata/until"
)

// array is one that can be turned off and on, and knows what was asked of it.
type array struct {
	t    *testing.T
	box  *infinibox.Box
	addr string
	srv  *httptest.Server

	mu    sync.Mutex
	asked map[string]bool
}

func newArray(t *testing.T) *array {
	a := &array{t: t, box: infinibox.New(infinibox.Options{}), addr: "127.0.0.1:0", asked: map[string]bool{}}
	a.on()
	t.Cleanup(func() { a.srv.Close() })
	return a
}

func (a *array) on() {
	a.t.Helper()
	var l net.Listener
	until.OK(a.t, "the address of before is free", func() (err error) { l, err = net.Listen("tcp", a.addr); return err })
	a.addr = l.Addr().String()
	a.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.asked[r.Method+" "+r.URL.Path] = true
		a.mu.Unlock()
		a.box.ServeHTTP(w, r)
	}))
	a.srv.Listener.Close()
	a.srv.Listener = l
	a.srv.StartTLS()
}

func (a *array) off() {
	a.srv.CloseClientConnections()
	a.srv.Close()
}

func (a *array) codes() (out []string) {
	for _, e := range a.box.Events() {
		out = append(out, e.Code)
	}
	return out
}

// agent is one in a process group of its own, so that it can be killed with all
// that it started.
func (s *site) agent() (kill func() (processes int)) {
	s.t.Helper()
	cmd := exec.Command("remote-support", "--root", s.root, "serve")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var once sync.Once
	kill = func() (n int) {
		once.Do(func() {
			for _, pid := range append(descendants(cmd.Process.Pid), cmd.Process.Pid) {
				if syscall.Kill(pid, syscall.SIGKILL) == nil {
					n++
				}
			}
			cmd.Wait() //nolint:errcheck // it was killed
		})
		return n
	}
	s.t.Cleanup(func() { kill() })
	until.True(s.t, "the agent answers", func() bool {
		out, _, code := s.exec("status", "--json")
		return code == 0 && strings.Contains(out, fmt.Sprintf(`"pid": %d`, cmd.Process.Pid))
	})
	return kill
}

// descendants are the processes that one has started, and theirs.
func descendants(pid int) (out []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		b, _ := os.ReadFile(path)
		for _, f := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(f); err == nil {
				out = append(append(out, child), descendants(child)...)
			}
		}
	}
	return out
}

// The array, the agent and the plugin between them die at once, in the middle of
// a session, and come back one after another. REQ A1, E3, E4, E5
//
// The array is told all of it in the end, in order. And nothing was asked of it
// but who somebody is, how it is, and to note events: whatever becomes of the
// agent, the array is as it was.
func TestArrayDiesToo(t *testing.T) {
	r := relaytest.New(t)
	s := newSite(t)
	a := newArray(t)
	write(t, filepath.Join(s.root, "etc", "auth.d", "infinibox.json"), fmt.Sprintf(
		`{"addresses":[%q],"pin":"%x","event_user":"tech","event_password":"tech-pass"}`, a.addr, sha256.Sum256(a.srv.Certificate().Raw)))
	if err := os.Chmod(filepath.Join(s.root, "etc", "auth.d", "infinibox.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.do(0, "enroll", "--token-file", s.file("token", r.Token("array-7").String()+"\n"))
	kill := s.agent()
	s.do(0, "on", "--for", "1h")
	until.True(t, "the array is told", func() bool { return slices.Contains(a.codes(), "SUPPORT_SESSION_STARTED") })

	a.off()
	if n := kill(); n < 2 {
		t.Errorf("%d processes were killed; the plugin that speaks to the array is one more", n)
	}
	if n := len(a.codes()); n != 1 {
		t.Fatalf("%d events", n)
	}
	s.agent() // the array is still down: the session of before ends, and waits to be told
	s.do(0, "on", "--for", "30m")
	s.do(0, "off")
	out, _ := s.do(0, "audit", "show", "--type", "session.")
	if strings.Count(out, "session.opened") != 2 || strings.Count(out, "session.ended") != 2 {
		t.Errorf("the audit log:\n%s", out)
	}
	a.on()
	want := []string{"SUPPORT_SESSION_STARTED", "SUPPORT_SESSION_ENDED", "SUPPORT_SESSION_STARTED", "SUPPORT_SESSION_ENDED"}
	// Longer than until waits: the pauses between two tries grow.
	for end := time.Now().Add(60 * time.Second); len(a.codes()) < len(want) && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
	}
	if got := slices.Compact(a.codes()); !slices.Equal(got, want) {
		t.Errorf("the array was told %v", got)
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	for what := range a.asked {
		method, path, _ := strings.Cut(what, " ")
		if method != http.MethodGet && !slices.Contains([]string{"/api/rest/users/login", "/api/rest/users/logout", "/api/rest/events", "/api/rest/events/custom"}, path) {
			t.Errorf("the agent asked the array to %s", what)
		}
	}
}
