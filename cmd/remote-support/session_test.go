package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/revoke"
	"github.com/latchstring/latchstring/testdata/until"
)

// scene is what the commands of one script share.
type scene struct {
	t      *testing.T
	mu     sync.Mutex
	relay  *relaytest.Relay
	seen   map[string]*output
	agents map[string]*exec.Cmd
}

// output is what a program in the background has said.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) { o.mu.Lock(); defer o.mu.Unlock(); return o.b.Write(p) }
func (o *output) String() string              { o.mu.Lock(); defer o.mu.Unlock(); return o.b.String() }

// background runs remote-support until the end of the script.
func background(ts *testscript.TestScript, args ...string) (*output, *exec.Cmd) {
	o := &output{}
	cmd := exec.Command(filepath.Join(strings.Split(ts.Getenv("PATH"), string(filepath.ListSeparator))[0], "remote-support"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), o, o
	cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	ts.Check(cmd.Start())
	ts.Defer(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if ts.Getenv("SHOW") != "" {
			fmt.Fprintln(os.Stderr, o)
		}
	})
	return o, cmd
}

func (s *scene) client(ts *testscript.TestScript, root string) *control.Client {
	r, err := paths.New(ts.MkAbs(root))
	ts.Check(err)
	var c *control.Client
	until.OK(ts, "the agent answers", func() (err error) {
		c, err = control.Dial(context.Background(), r.ControlSocket())
		return err
	})
	return c
}

func (s *scene) commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"agent": func(ts *testscript.TestScript, _ bool, args []string) { // agent ROOT
			_, cmd := background(ts, "serve", "--root", args[0])
			s.mu.Lock()
			s.agents[args[0]] = cmd
			s.mu.Unlock()
			s.client(ts, args[0])
		},
		"kill9": func(ts *testscript.TestScript, _ bool, args []string) { // kill9 ROOT
			s.mu.Lock()
			cmd := s.agents[args[0]]
			s.mu.Unlock()
			ts.Check(cmd.Process.Kill())
			cmd.Wait()
		},
		"gone": func(ts *testscript.TestScript, _ bool, args []string) { // gone FILE: the process in it ends
			pid := strings.TrimSpace(ts.ReadFile(args[0]))
			if pid == "" {
				ts.Fatalf("no process")
			}
			until.True(ts, "process "+pid+" ends", func() bool {
				stat, err := os.ReadFile("/proc/" + pid + "/stat")
				return err != nil || strings.Contains(string(stat), ") Z ")
			})
		},
		"watch": func(ts *testscript.TestScript, _ bool, args []string) { // watch ROOT NAME
			o, _ := background(ts, "status", "--watch", "--root", args[0])
			// The status comes first. Events come when the agent has taken the
			// watcher in, which shows by one.
			c := s.client(ts, args[0])
			until.True(ts, "it watches", func() bool {
				_, err := c.Reload(context.Background(), control.Caller{})
				ts.Check(err)
				return strings.Contains(o.String(), "policy.loaded")
			}, o)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.seen[args[1]] = o
		},
		"seen": func(ts *testscript.TestScript, _ bool, args []string) { // seen NAME PATTERN
			want := regexp.MustCompile(args[1])
			s.mu.Lock()
			o := s.seen[args[0]]
			s.mu.Unlock()
			until.True(ts, "it says "+args[1], func() bool { return want.MatchString(o.String()) }, o)
		},
		"ison":  func(ts *testscript.TestScript, _ bool, args []string) { s.state(ts, args[0], "open") },
		"isoff": func(ts *testscript.TestScript, _ bool, args []string) { s.state(ts, args[0], "off") },
		"cutall": func(ts *testscript.TestScript, _ bool, args []string) { // cutall ROOT
			all, err := s.client(ts, args[0]).Connections(context.Background(), control.Caller{})
			ts.Check(err)
			for _, c := range all {
				ts.Check(ts.Exec("remote-support", "connections", "cut", c.ID, "--root", args[0]))
			}
		},
		"engineer": s.engineer,
		"revoke": func(ts *testscript.TestScript, _ bool, args []string) { // revoke FILE NUMBER ENTRY...
			n, err := strconv.ParseUint(args[1], 10, 64)
			ts.Check(err)
			l := revoke.List{Number: n, Issued: time.Now()}
			for _, e := range args[2:] {
				l.Revoked = append(l.Revoked, revoke.Entry{What: e, Since: l.Issued.UTC(), Reason: "laptop stolen"})
			}
			raw, err := revoke.Sign(s.relay.SupportCA(), l)
			ts.Check(err)
			ts.Check(os.WriteFile(ts.MkAbs(args[0]), raw, 0o600))
		},
	}
}

func (s *scene) state(ts *testscript.TestScript, root, want string) {
	c := s.client(ts, root)
	until.True(ts, "it is "+want, func() bool {
		now, err := c.Session(context.Background(), control.Caller{})
		return err == nil && now.State == want
	})
}

var inGroups = regexp.MustCompile(`[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}`)

// engineer ROOT FILE COMMAND enters with the secret in FILE and runs COMMAND; he
// stays until the end of the script. What it said is the script's stdout.
func (s *scene) engineer(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithCancel(context.Background())
	ts.Defer(cancel)
	secret := inGroups.FindString(ts.ReadFile(args[1]))
	relay, key := s.relay.EngineerIn("ada", nil, "access")
	cert := s.relay.Certify(key.PublicKey(), "ada", "latchstring")
	root, err := paths.New(ts.MkAbs(args[0]))
	ts.Check(err)
	system, err := identity.Open(root.Identity())
	ts.Check(err)
	vendor, err := system.Vendor()
	ts.Check(err)
	relayKey, err := vendor.ReceiptPublicKey()
	ts.Check(err)
	conn, err := connect.Dial(ctx, connect.Options{Relay: relay, RelayKey: relayKey, System: system.ID(), Certificate: cert, Case: "INF-9",
		Secret: func() ([]byte, error) { return []byte(secret), nil }})
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	signer, err := ssh.NewCertSigner(cert, key)
	ts.Check(err)
	c, err := conn.SSH(ctx, signer, nil)
	ts.Check(err)
	session, err := c.NewSession()
	ts.Check(err)
	defer session.Close()
	out, err := session.Output(strings.Join(args[2:], " "))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("engineer.out"), out, 0o600))
	ts.Check(ts.Exec("cat", "engineer.out"))
}

// What makes a terminal answer, or do more than show, is left out.
func TestScreen(t *testing.T) {
	for in, want := range map[string]string{
		"plain \x1b[1;31mred\x1b[0m \x1b[2J\r\n": "plain \x1b[1;31mred\x1b[0m \x1b[2J\r\n",
		"a\x1b]0;title\x07b":                     "ab",
		"a\x1b]52;c;aGk=\x1b\\b":                 "ab",
		"a\x1bPq#0\x1b\\b":                       "ab",
		"a\x1b[6nb\x1b[cb\x1b[>cb\x1b[5ib":       "abbbb",
		"a\x05b":                                 "ab",
		"a\x1bZb\x1bcb":                          "abb",
		"ü\x1b[?25l€":                            "ü\x1b[?25l€",
	} {
		for _, step := range []int{1, 2, 100} {
			var s screen
			var got []byte
			for rest := []byte(in); len(rest) > 0; {
				n := min(step, len(rest))
				got = append(got, s.show(rest[:n])...)
				rest = rest[n:]
			}
			if string(got) != want {
				t.Errorf("%q by %d: %q, want %q", in, step, got, want)
			}
		}
	}
}

func TestLength(t *testing.T) {
	for in, want := range map[time.Duration]string{8 * time.Hour: "8h", 90 * time.Minute: "1h30m", 59 * time.Second: "59s", 4*time.Minute + 10*time.Second: "4m10s", -1: "0s", 10 * time.Minute: "10m"} {
		if got := length(in); got != want {
			t.Errorf("length(%s) = %s, want %s", in, got, want)
		}
	}
}

// Every event of a session is a sentence, and none has a hole in it.
func TestSentences(t *testing.T) {
	for _, kind := range []string{"session.opening", "session.opened", "session.extended", "session.ended", "connection.opened", "connection.closed", "link.down"} {
		e := control.Event{Type: kind, Actor: "engineer:ada", Subject: "con-1"}
		text, ok := sentence(e)
		if b, _ := json.Marshal(text); !ok || text == "" || strings.Contains(string(b), "%!") {
			t.Errorf("%s: %q, %v", kind, text, ok)
		}
	}
	if _, ok := sentence(control.Event{Type: "plugin.started"}); ok {
		t.Error("an event that has no sentence")
	}
}
