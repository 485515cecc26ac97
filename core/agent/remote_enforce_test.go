package agent

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/testdata/until"
)

// what an engineer is in the middle of.
type doing func(w *world, c *ssh.Client)

func nothing(*world, *ssh.Client) {}

func aCommand(w *world, c *ssh.Client) { w.sleeper(c, "command") }

func aShell(w *world, c *ssh.Client) {
	w.t.Helper()
	s, err := c.NewSession()
	if err == nil {
		err = s.RequestPty("xterm", 24, 80, nil)
	}
	if err == nil {
		err = s.Shell()
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func aForward(w *world, c *ssh.Client) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go io.Copy(conn, conn)
		}
	}()
	conn, err := c.Dial("tcp", l.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := conn.Write([]byte("x")); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		w.t.Fatal(err)
	}
}

func transfer(flags int) doing {
	return func(w *world, c *ssh.Client) {
		w.t.Helper()
		path := filepath.Join(w.t.TempDir(), "file")
		if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
			w.t.Fatal(err)
		}
		client, err := sftp.NewClient(c)
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := client.OpenFile(path, flags); err != nil {
			w.t.Fatal(err)
		}
	}
}

// movedAlready is a transfer that is over: no change of policy undoes it.
func movedAlready(w *world, c *ssh.Client) {
	w.t.Helper()
	client, err := sftp.NewClient(c)
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := client.Create(filepath.Join(w.t.TempDir(), "file"))
	if err == nil {
		_, err = f.Write([]byte("x"))
	}
	if err := errors.Join(err, f.Close(), client.Close()); err != nil {
		w.t.Fatal(err)
	}
}

// A policy file that is merely edited cuts what it does not allow any more,
// within a second, and says by which line: one case for each rule that can.
// REQ G5, G11
func TestEveryRuleCuts(t *testing.T) {
	w := newWorld(t)
	later := time.Now().UTC().Add(3 * time.Hour)
	const session, connection, neither = "session", "connection", "neither"
	var total time.Duration
	cuts := 0
	for _, tt := range []struct {
		name, policy string
		doing        doing
		cuts         string
	}{
		{"locked off", `remote_access = "locked_off"`, aCommand, session},
		{"window", `session {
  window "later" {
    days = ["daily"]
    from = "` + later.Format("15:04") + `"
    to   = "` + later.Add(time.Hour).Format("15:04") + `"
    zone = "UTC"
  }
}`, nothing, session},
		{"users", `session { users = ["somebody"] }`, nothing, session},
		{"roles", `session { roles = ["admin"] }`, nothing, session},
		{"methods", `session { methods = ["sso"] }`, nothing, session},
		{"second factor", `session { mfa = true }`, nothing, session},
		{"relay", `network { rss = ["other.example"] }`, nothing, session},
		{"transport", `network { transports = ["socks"] }`, nothing, session},
		{"proxy", `network { proxies = ["https://proxy.example.com:3128"] }`, nothing, session},
		{"length", `session { max_duration = "10m" }`, nothing, session}, // 20 minutes are over
		{"a mistake", `remote_acess = "allowed"`, aCommand, session},
		{"engineer", `engineer { names = ["eve"] }`, nothing, connection},
		{"shell", `engineer { shell = false }`, aShell, connection},
		{"commands", `engineer { commands = ["df -h"] }`, aCommand, connection},
		{"user", `engineer { run_as = ["somebody"] }`, aCommand, connection},
		{"forwards", `engineer { forwards = ["10.0.0.1:443"] }`, aForward, connection},
		{"upload", `engineer { upload = false }`, transfer(os.O_WRONLY), connection},
		{"upload paths", `engineer { upload_paths = ["/srv/**"] }`, transfer(os.O_WRONLY), connection},
		{"download", `engineer { download = false }`, transfer(os.O_RDONLY), connection},
		{"download paths", `engineer { download_paths = ["/srv/**"] }`, transfer(os.O_RDONLY), connection},
		{"approval asked", `approval { mode = "ask" }`, nothing, connection},
		{"approval of two", `approval { people = 2 }`, nothing, connection},
		{"approval denied", `approval { mode = "deny" }`, nothing, connection},
		{"what is over", `engineer { upload = false }`, movedAlready, neither},
		{"what is allowed", `engineer { shell = false }`, aCommand, neither},
	} {
		writePolicy(t, w.root, "")
		until.True(w.t, "nothing is forbidden", func() bool { return w.agent.policyPrint() == w.agent.print() })
		if w.state().State == "off" {
			w.on(control.OnRequest{For: "8h"})
		}
		conn, c := w.enter(w.secretNow())
		tt.doing(w, c)
		if tt.name == "length" {
			w.clock.pass(20 * time.Minute)
		}
		before := len(w.events(audit.ConnectionClosed))
		begin := time.Now()
		writePolicy(t, w.root, tt.policy)
		if tt.cuts == neither {
			until.True(w.t, "it is in force", func() bool { return w.agent.policyPrint() == w.agent.print() })
			if conn.Ended() != nil || w.state().State != "connected" {
				t.Errorf("%s: cut: %v", tt.name, conn.Ended())
			}
			leave(w, conn)
			continue
		}
		until.True(w.t, tt.name+" cuts", func() bool { return conn.Ended() != nil })
		took := time.Since(begin)
		if total, cuts = total+took, cuts+1; took > 2*time.Second { // on a machine with other things to do
			t.Errorf("%s: cut after %s", tt.name, took)
		}
		until.True(w.t, "it is recorded", func() bool { return len(w.events(audit.ConnectionClosed)) > before })
		if tt.cuts == session {
			until.True(w.t, "the session ends", func() bool { return w.state().State == "off" })
		} else if s := w.state(); s.State != "open" && s.State != "connected" {
			t.Errorf("%s: the session is %s", tt.name, s.State)
		}
		all := w.events(audit.ConnectionClosed)
		if why := all[len(all)-1].Detail["reason"]; !strings.Contains(why, "site.hcl:") && tt.name != "length" {
			t.Errorf("%s: the reason is %q", tt.name, why)
		}
		leave(w, conn)
	}
	mean := total / time.Duration(cuts)
	if t.Logf("%d rules, cut after %s on average", cuts, mean); mean > time.Second {
		t.Errorf("it takes more than a second")
	}
}

// print is what the files of the policy in force looked like.
func (a *Agent) print() uint64 {
	a.loading.Lock()
	defer a.loading.Unlock()
	return a.loaded
}

// leave waits until nobody is in.
func leave(w *world, conn *connect.Conn) {
	conn.Close()
	until.True(w.t, "he is gone", func() bool { return len(w.state().Connections) == 0 })
}

func (w *world) secretNow() string {
	w.t.Helper()
	s, err := w.agent.Secret(w.t.Context(), control.Self(), control.SecretRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Secret
}

// A connection that could not be recorded goes on while policy lets it, and is
// cut when policy insists.
func TestRecordingBecomesRequired(t *testing.T) {
	w := newWorld(t)
	if err := os.WriteFile(w.root.Recordings(), nil, 0o600); err != nil { // no directory can be made there
		t.Fatal(err)
	}
	o := w.on(control.OnRequest{})
	conn, c := w.enter(o.Secret)
	if _, err := run(c, "true"); err != nil {
		t.Fatal(err)
	}
	if e := w.events(audit.RecordingFailed); len(e) == 0 {
		t.Fatal("it is recorded after all")
	}
	writePolicy(t, w.root, `engineer { recording = "required" }`)
	until.True(w.t, "it is cut", func() bool { return conn.Ended() != nil && len(w.state().Connections) == 0 })
	if e := w.events(audit.ConnectionCut); len(e) != 1 || !strings.Contains(e[0].Detail["reason"], "recording") {
		t.Errorf("%+v", e)
	}
	if _, err := w.dial(o.Secret); err == nil {
		t.Error("a connection that cannot be recorded is let in")
	}
}

// More than is remembered: what is not known to be allowed is cut.
func TestForgottenIsCut(t *testing.T) {
	a, _ := open(t)
	q := asked{policy: a}
	for i := range maxAsked + 1 {
		q.Decide(policy.AccessCommand, policy.Facts{policy.Engineer: "ada", policy.RunAs: "root", policy.Command: strings.Repeat("x", i+1)})
	}
	if err := q.again(); !errors.Is(err, errForgotten) {
		t.Errorf("%v", err)
	}
}
