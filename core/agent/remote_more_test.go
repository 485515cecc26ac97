package agent

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/buildconfig"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/testdata/until"
)

func code(err error) int {
	var c interface{ ExitCode() int }
	if errors.As(err, &c) {
		return c.ExitCode()
	}
	return 1
}

// sleeper starts a command that does not end by itself, and returns a channel
// that is closed when it has.
func (w *world) sleeper(c *ssh.Client, mark string) (file string, ended <-chan struct{}) {
	w.t.Helper()
	file = filepath.Join(w.t.TempDir(), mark)
	done := make(chan struct{})
	s, err := c.NewSession()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := s.Start("trap '' HUP; echo $$ > " + file + "; while :; do sleep 0.05; done"); err != nil {
		w.t.Fatal(err)
	}
	go func() { defer close(done); _ = s.Wait() }()
	until.True(w.t, "the command runs", func() bool { b, _ := os.ReadFile(file); return len(b) > 1 })
	return file, done
}

func alive(file string) bool {
	b, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	_, err = os.Stat("/proc/" + strings.TrimSpace(string(b)))
	return err == nil
}

// REQ B5: at its end it is cut, with what runs, whatever the clock says.
func TestExpires(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{For: "30m"})
	_, c := w.enter(o.Secret)
	file, ended := w.sleeper(c, "expire")
	w.clock.pass(21 * time.Minute)
	until.True(w.t, "it says that it ends soon", func() bool { return len(w.events(audit.SessionExpiring)) == 1 })
	w.clock.pass(10 * time.Minute)
	until.True(w.t, "it is off", func() bool { return w.state().State == "off" })
	<-ended
	if alive(file) {
		t.Error("a process outlived the session") // REQ A10
	}
	if e := w.events(audit.SessionEnded); len(e) != 1 || e[0].Detail["reason"] != "its time is up" {
		t.Errorf("%+v", e)
	}
}

func TestExtend(t *testing.T) {
	w := newWorld(t)
	w.on(control.OnRequest{For: "30m"})
	s, err := w.agent.Extend(t.Context(), control.Self(), control.ExtendRequest{By: "1h"})
	if err != nil || s.SecondsLeft < 5300 || s.SecondsLeft > 5400 {
		t.Errorf("extended: %+v, %v", s, err)
	}
	writePolicy(t, w.root, `session { max_duration = "2h" }`)
	if _, err := w.agent.Extend(t.Context(), control.Self(), control.ExtendRequest{By: "1h"}); code(err) != 3 || !strings.Contains(err.Error(), "site.hcl:1") {
		t.Errorf("over what policy allows: %v", err)
	}
	for _, bad := range []string{"", "-1h", "soon"} {
		if _, err := w.agent.Extend(t.Context(), control.Self(), control.ExtendRequest{By: bad}); code(err) != 2 {
			t.Errorf("extend by %q: %v", bad, err)
		}
	}
}

// REQ G11, B6, A15: what is refused says why, and nothing is open afterwards.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		policy string
		req    control.OnRequest
		code   int
		want   string
	}{
		"too long":      {`session { max_duration = "1h" }`, control.OnRequest{For: "2h"}, 3, "site.hcl:1"},
		"method":        {`session { methods = ["sso"] }`, control.OnRequest{}, 3, "site.hcl:1"},
		"locked off":    {`remote_access = "locked_off"`, control.OnRequest{}, 3, "site.hcl:1"}, // REQ G5
		"relay":         {`network { rss = ["other.example"] }`, control.OnRequest{}, 3, "site.hcl:1"},
		"transport":     {`network { transports = ["https"] }`, control.OnRequest{}, 3, "site.hcl:1"},
		"broken policy": {`remote_acess = "allowed"`, control.OnRequest{}, 3, "does not load"},
		"retired relay": {``, control.OnRequest{RSS: "rss02.infinidat.com"}, 2, "retired"},
		"length":        {``, control.OnRequest{For: "long"}, 2, "8h"},
		"weak secret":   {``, control.OnRequest{Secret: []byte("12345678")}, 2, ""},
		"case":          {``, control.OnRequest{Case: "a\x1b[2Jb"}, 2, "the case"},
		"proxy":         {``, control.OnRequest{Proxy: "gopher://x:1"}, 2, "gopher"},
		"unreachable":   {``, control.OnRequest{RSS: "127.0.0.1:1"}, 1, `"connect"`},
	} {
		writePolicy(t, w.root, c.policy)
		_, err := w.agent.On(t.Context(), control.Self(), c.req)
		if err == nil || code(err) != c.code || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v (exit code %d)", name, err, code(err))
		}
		if s := w.state(); s.State != "off" {
			t.Fatalf("%s: it is %s", name, s.State)
		}
	}
	if got := w.order(audit.SessionOpened, audit.SessionEnded); got != "" {
		t.Errorf("started or ended: %s", got)
	}
	writePolicy(t, w.root, ``)
	w.on(control.OnRequest{})
	if _, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{}); err == nil || !strings.Contains(err.Error(), "on already") {
		t.Errorf("twice: %v", err)
	}
}

// A change of policy cuts what it does not allow any more, within a second,
// without a reload.
func TestPolicyCuts(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{})
	conn, c := w.enter(o.Secret)
	file, ended := w.sleeper(c, "policy")
	begin := time.Now()
	writePolicy(t, w.root, `engineer { commands = ["df -h"] }`)
	<-ended
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("the command was cut after %s", took)
	}
	until.True(w.t, "the connection is closed", func() bool { return conn.Ended() != nil && len(w.state().Connections) == 0 })
	if alive(file) {
		t.Error("the process lives")
	}
	if s := w.state(); s.State != "open" {
		t.Errorf("the session is %s", s.State)
	}
	if e := w.events(audit.ConnectionCut); len(e) != 1 || !strings.Contains(e[0].Detail["reason"], "site.hcl:1") {
		t.Errorf("%+v", e)
	}
	// A shorter length shortens, and locked off ends it.
	writePolicy(t, w.root, `session { max_duration = "10m" }`)
	until.True(w.t, "it is shortened", func() bool { return w.state().SecondsLeft > 0 })
	writePolicy(t, w.root, `remote_access = "locked_off"`)
	until.True(w.t, "it is off", func() bool { return w.state().State == "off" })
	if e := w.events(audit.SessionEnded); len(e) != 1 || !strings.Contains(e[0].Detail["reason"], "site.hcl:1") {
		t.Errorf("%+v", e)
	}
}

// REQ G6: the seal cuts.
func TestSealCuts(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{})
	w.enter(o.Secret)
	writePolicy(t, w.root, `remote_access = "permanently_disabled"`)
	until.True(w.t, "it is off", func() bool { return w.state().State == "off" })
	writePolicy(t, w.root, ``)
	if _, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{}); code(err) != 3 {
		t.Errorf("after the seal: %v", err)
	}
}

// REQ A9, B3: three wrong secrets void it, and say so; a new one works.
func TestWrongSecret(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{})
	for range 3 {
		if _, err := w.dial("not the secret 1"); err == nil {
			t.Fatal("a wrong secret lets in")
		}
	}
	if _, err := w.dial(o.Secret); err == nil {
		t.Error("a void secret lets in")
	}
	until.True(w.t, "it is told", func() bool {
		return w.order(audit.SecretWrong, audit.SecretBurnt) == "secret.wrong secret.wrong secret.wrong secret.burnt"
	})
	if s := w.state(); s.SecretGood {
		t.Errorf("%+v", s)
	}
	st, err := w.agent.Status(t.Context(), control.Self())
	if err != nil || len(st.Problems) == 0 || !strings.Contains(st.Problems[0], "secret new") {
		t.Errorf("status: %+v, %v", st.Problems, err)
	}
	if s, err := w.agent.Secret(t.Context(), control.Self(), control.SecretRequest{}); err != nil || s.Secret != "" || s.Usable {
		t.Errorf("the void secret: %+v, %v", s, err)
	}
	s, err := w.agent.Secret(t.Context(), control.Self(), control.SecretRequest{New: true})
	if err != nil || s.Secret == "" || s.Secret == o.Secret || s.TriesLeft != 3 {
		t.Fatalf("new: %+v, %v", s, err)
	}
	w.enter(s.Secret)
}

// An administrator's own secret is taken once, and not shown.
func TestOwnSecret(t *testing.T) {
	w := newWorld(t)
	own := "purple tractor yawns at 7 lemons"
	o := w.on(control.OnRequest{Secret: []byte(own)})
	if o.Secret != "" {
		t.Errorf("it is shown: %+v", o)
	}
	w.enter(own)
	if s, err := w.agent.Secret(t.Context(), control.Self(), control.SecretRequest{}); err != nil || !s.Own || s.Secret != "" || !s.Usable {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := w.agent.Off(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.agent.On(t.Context(), control.Self(), control.OnRequest{Secret: []byte(own)}); code(err) != 2 {
		t.Errorf("the same secret again: %v", err)
	}
	if strings.Contains(w.everything(), own) {
		t.Error("the secret is on disk")
	}
}

// Approval: one says yes, one says no, nobody answers.
func TestApproval(t *testing.T) {
	w := newWorld(t)
	writePolicy(t, w.root, `approval {
  mode    = "ask"
  timeout = "1s"
}`)
	o := w.on(control.OnRequest{})
	waits := func() control.Connection {
		t.Helper()
		var one control.Connection
		until.True(w.t, "an engineer waits", func() bool {
			all, _ := w.agent.Connections(t.Context(), control.Self())
			if len(all) == 1 && all[0].State == control.ConnectionWaiting && all[0].Needs == 1 {
				one = all[0]
			}
			return one.ID != ""
		})
		return one
	}
	dial := func() <-chan error {
		until.True(w.t, "the one before is gone", func() bool { return len(w.state().Connections) == 0 })
		c := make(chan error, 1)
		go func() {
			conn, err := w.dial(o.Secret)
			if err == nil {
				t.Cleanup(func() { conn.Close() })
			}
			c <- err
		}()
		return c
	}
	// No answer is a no.
	in := dial()
	if err := <-in; err == nil || !strings.Contains(err.Error(), "in time") {
		t.Errorf("nobody answered: %v", err)
	}
	writePolicy(t, w.root, `approval { mode = "ask" }`)
	in = dial()
	if err := w.agent.Deny(t.Context(), control.Self(), waits().ID); err != nil {
		t.Fatal(err)
	}
	if err := <-in; err == nil || !strings.Contains(err.Error(), "said no") {
		t.Errorf("denied: %v", err)
	}
	in = dial()
	one, err := w.agent.Approve(t.Context(), control.Self(), waits().ID)
	if err != nil || len(one.Approvers) != 1 {
		t.Fatalf("%+v, %v", one, err)
	}
	if err := <-in; err != nil {
		t.Errorf("approved: %v", err)
	}
	until.True(w.t, "he is in", func() bool { return w.state().State == "connected" })
	if e := w.events(audit.ConnectionOpened); len(e) != 1 || e[0].Detail["approved by"] != "root" {
		t.Errorf("%+v", e)
	}
	if err := w.agent.Cut(t.Context(), control.Self(), one.ID); err != nil {
		t.Error(err)
	}
	// Two people are two people.
	writePolicy(t, w.root, `approval { people = 2 }`)
	in = dial()
	until.True(w.t, "an engineer waits for two", func() bool { s := w.state(); return len(s.Connections) == 1 && s.Connections[0].Needs == 2 })
	id := w.state().Connections[0].ID
	if _, err := w.agent.Approve(t.Context(), control.Self(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := w.agent.Approve(t.Context(), control.Self(), id); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("the same person twice: %v", err)
	}
	if w.state().State != "open" {
		t.Error("one person let an engineer in who needs two")
	}
	if _, err := w.agent.Off(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	if err := <-in; err == nil {
		t.Error("he came in when it was turned off")
	}
}

// Somebody of the customer looks on, and cuts.
func TestLive(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{})
	_, c := w.enter(o.Secret)
	id := w.state().Connections[0].ID
	seen := make(chan string, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- w.agent.Live(t.Context(), control.Self(), id, func(f control.Frame) error { seen <- string(f.Data); return nil })
	}()
	until.True(w.t, "he looks on", func() bool { return len(w.events(audit.ConnectionWatched)) == 1 })
	until.True(w.t, "he sees something", func() bool {
		if _, err := run(c, "echo seen"); err != nil {
			t.Fatal(err)
		}
		select {
		case s := <-seen:
			return strings.Contains(s, "seen")
		default:
			return false
		}
	})
	if err := w.agent.Cut(t.Context(), control.Self(), id); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the view ends with %v", err)
	}
	if err := w.agent.Cut(t.Context(), control.Self(), id); code(err) != 2 {
		t.Errorf("cut what is gone: %v", err)
	}
}

// REQ E5, K6: what a killed agent leaves is ended by the next one, with every
// event that is missing, once.
func TestCrash(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{For: "1h"})
	_, c := w.enter(o.Secret)
	if _, err := run(c, "echo before the crash"); err != nil {
		t.Fatal(err)
	}
	id := w.state().Connections[0].ID
	w.crash()
	a, err := Open(w.root, Options{Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := a.Status(t.Context(), control.Self())
	if s.Remote.State != "off" || len(s.Problems) == 0 || !strings.Contains(strings.Join(s.Problems, "\n"), o.Session.ID) {
		t.Errorf("status after a crash: %+v", s) // REQ J2
	}
	a.Close()
	for range 2 { // the second start has nothing to add
		w.start()
		if s := w.state(); s.State != "off" {
			t.Errorf("after the restart it is %s", s.State)
		}
		if got := w.order(sessionEvents...); got != "session.opening session.opened connection.opened access.command connection.closed session.ended" {
			t.Errorf("events: %s", got)
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	}
	e := w.events(audit.SessionEnded)
	if len(e) != 1 || !strings.Contains(e[0].Detail["reason"], "killed") {
		t.Fatalf("%+v", e)
	}
	p, err := record.ReadPassport(e[0].Detail["passport"], w.System.PublicKey())
	if err != nil || len(p.Connections) != 1 || p.Connections[0].Recording != id {
		t.Errorf("passport: %+v, %v", p, err)
	}
	if rep, err := record.Verify(filepath.Join(w.root.Recordings(), id), record.Check{Key: w.System.PublicKey()}); err != nil {
		t.Errorf("the recording: %+v, %v", rep, err)
	}
}

// crash lets what is on disk be as kill -9 leaves it: a copy of the state while
// the agent runs takes its place.
func (w *world) crash() {
	w.t.Helper()
	before, err := os.ReadFile(w.root.Session())
	if err != nil {
		w.t.Fatal(err)
	}
	log, err := filepath.Glob(filepath.Join(w.root.Audit(), "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	kept := map[string][]byte{w.root.Session(): before}
	for _, f := range log {
		if kept[f], err = os.ReadFile(f); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.stop(); err != nil {
		w.t.Fatal(err)
	}
	for f, b := range kept {
		if err := os.WriteFile(f, b, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// REQ K6: with the configuration's word it goes on, with a new secret and no
// longer than was left.
func TestResumes(t *testing.T) {
	w := newWorld(t)
	w.localConfig(localcfg.Resume + `="yes"`)
	o := w.on(control.OnRequest{For: "1h"})
	w.clock.pass(20 * time.Minute)
	until.True(w.t, "time was written down", func() bool { s := w.state(); return s.SecondsLeft < 2500 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(10 * time.Minute)
	w.start()
	until.True(w.t, "it is open again", func() bool { return w.state().State == "open" })
	s := w.state()
	if s.ID != o.Session.ID || s.SecondsLeft > 1800 || s.SecondsLeft < 1700 {
		t.Errorf("%+v", s)
	}
	if _, err := w.dial(o.Secret); err == nil {
		t.Error("the secret of before lets in")
	}
	fresh, err := w.agent.Secret(t.Context(), control.Self(), control.SecretRequest{})
	if err != nil {
		t.Fatal(err)
	}
	w.enter(fresh.Secret)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if got := w.order(audit.SessionOpened, audit.ConnectionOpened, audit.ConnectionClosed, audit.SessionEnded); got != "session.opened connection.opened connection.closed" {
		t.Errorf("events: %s", got)
	}
	// Policy's word is stronger.
	writePolicy(t, w.root, `session { resume_after_restart = false }`)
	w.start()
	if s := w.state(); s.State != "off" {
		t.Errorf("it goes on against policy: %+v", s)
	}
}

func (w *world) localConfig(lines string) {
	w.t.Helper()
	if err := os.WriteFile(w.root.LocalConfig(), []byte(lines+"\n"), 0o644); err != nil {
		w.t.Fatal(err)
	}
	if _, err := buildconfig.Build(w.root); err != nil {
		w.t.Fatal(err)
	}
}

// REQ G3, G4, B11: the global switch opens a session that `off` does not end;
// taken away, it ends with the next build-config.
func TestStanding(t *testing.T) {
	w := newWorld(t)
	w.localConfig(localcfg.Enable + `="yes"`)
	until.True(w.t, "it is on by itself", func() bool { return w.state().State == "open" })
	if s := w.state(); !s.Standing || !s.Expires.IsZero() {
		t.Errorf("%+v", s)
	}
	s, err := w.agent.Secret(t.Context(), control.Self(), control.SecretRequest{})
	if err != nil || s.Secret == "" {
		t.Fatalf("%+v, %v", s, err)
	}
	w.enter(s.Secret)
	_, err = w.agent.Off(t.Context(), control.Self())
	var refusal *policy.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), "local.cfg:1") || !strings.Contains(err.Error(), localcfg.Enable) {
		t.Errorf("off: %v", err)
	}
	if s := w.state(); s.State != "connected" {
		t.Errorf("off changed something: %+v", s)
	}
	w.localConfig("# nothing")
	until.True(w.t, "it is off", func() bool { return w.state().State == "off" })
}

// Without the daemon nothing can be turned on, and off is what it is.
func TestNoDaemon(t *testing.T) {
	a, root := open(t)
	if _, err := a.On(t.Context(), control.Self(), control.OnRequest{}); err == nil || !strings.Contains(err.Error(), "does not run") {
		t.Errorf("On: %v", err)
	}
	if e, err := a.Off(t.Context(), control.Self()); err != nil || e.WasOpen {
		t.Errorf("Off: %+v, %v", e, err)
	}
	writePolicy(t, root, `remote_access = "locked_on"`)
	if _, err := a.Reload(t.Context(), control.Self()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Off(t.Context(), control.Self()); code(err) != 3 {
		t.Errorf("Off while locked on: %v", err)
	}
}

// An engineer whom nobody vouches for gets nowhere near the secret.
func TestForeignCertificate(t *testing.T) {
	w := newWorld(t)
	o := w.on(control.OnRequest{})
	other, err := identity.MakeKey(filepath.Join(t.TempDir(), "ca"), "ca")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Certificate.SignCert(rand.Reader, other); err != nil {
		t.Fatal(err)
	}
	if _, err := w.dial(o.Secret); err == nil {
		t.Error("a certificate of another authority lets in")
	}
	until.True(w.t, "it is told", func() bool { return len(w.events(audit.ConnectionRefused)) == 1 })
	if s := w.state(); s.TriesLeft != 3 {
		t.Errorf("it cost a try: %+v", s)
	}
}

// REQ G4: what was edited and is not in force is told.
func TestStatusTellsWhatIsPending(t *testing.T) {
	a, root := open(t)
	if err := os.WriteFile(root.LocalConfig(), []byte(localcfg.Enable+"=\"yes\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := a.Status(t.Context(), control.Self())
	if err != nil || !strings.Contains(strings.Join(s.Problems, "\n"), localcfg.Enable+" is not in force yet") {
		t.Errorf("%+v, %v", s.Problems, err)
	}
}

// REQ A14
func TestPorts(t *testing.T) {
	a, _ := open(t)
	if _, err := a.Ports("", ""); err == nil {
		t.Error("ports of no relay")
	}
	rows, err := a.Ports("rss.example.com", "https://proxy.example.com:3128")
	if err != nil || len(rows) != 3 || rows[0].Port != "53" || rows[1].Port != "3128" || rows[2].Source != "proxy.example.com" || rows[2].Port != "443" {
		t.Errorf("%+v, %v", rows, err)
	}
	for _, r := range rows {
		if r.Purpose == "the address of rss.example.com" { // REQ A17
			t.Errorf("the relay is looked up although there is a proxy: %+v", r)
		}
	}
	if rows, err := a.Ports("10.0.0.1:8443", ""); err != nil || len(rows) != 1 || rows[0].Port != "8443" {
		t.Errorf("%+v, %v", rows, err)
	}
}
