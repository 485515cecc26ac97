package login

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/sdk/failure"
)

// hand is a clock that the test moves.
type hand struct {
	mu   sync.Mutex
	wall time.Time
	up   time.Duration
	boot string
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wall
}

func (h *hand) Boot() (time.Duration, string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.up, h.boot, nil
}

func (h *hand) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wall, h.up = h.wall.Add(d), h.up+d
}

// memo is an audit log that the test reads.
type memo struct {
	mu   sync.Mutex
	all  []audit.Event
	fail error
}

func (m *memo) Append(e audit.Event) (audit.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return audit.Record{}, m.fail
	}
	m.all = append(m.all, e)
	return audit.Record{Event: e}, nil
}

func (m *memo) last() audit.Event { return m.all[len(m.all)-1] }

// plugin asks once and lets in who answers "right"; other answers are failures
// by their name, and "typo" is asked for again.
type plugin struct {
	id    host.Identity
	facts map[string]string
	seen  [][]byte
	run   func() // after the answer
}

func (p *plugin) Close() error { return nil }

func (p *plugin) Authenticate(ctx context.Context, l host.Login, talk host.Conversation) (host.Identity, error) {
	p.facts = l.Facts
	for {
		answers, err := talk.Ask(ctx, []host.Field{{Name: "answer", Secret: true}})
		if err != nil {
			return host.Identity{}, err
		}
		if p.run != nil {
			p.run()
		}
		p.seen = append(p.seen, answers["answer"])
		switch a := string(answers["answer"]); a {
		case "right":
			return p.id, nil
		case "typo":
		case "crash":
			return host.Identity{}, &host.CrashedError{ID: "auth/x"}
		default:
			return host.Identity{}, &host.Failure{ID: "auth/x", Err: failure.New(failure.Code(a), "", "refused")}
		}
	}
}

// types answers one after the other.
type types []string

func (a *types) Ask(context.Context, []host.Field) (map[string][]byte, error) {
	if len(*a) == 0 {
		return nil, context.Canceled
	}
	v := (*a)[0]
	*a = (*a)[1:]
	return map[string][]byte{"answer": []byte(v)}, nil
}

func (*types) Show(context.Context, host.Notice) error { return nil }

type world struct {
	*Service
	clock  *hand
	audit  *memo
	plugin *plugin
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{clock: &hand{wall: time.Unix(1_800_000_000, 0), up: time.Hour, boot: "one"}, audit: &memo{}}
	w.plugin = &plugin{id: host.Identity{User: "ada", Roles: []string{"admin"}, Method: "infinibox", Evidence: map[string]string{"serial": "4242"}}}
	for name, text := range map[string]string{"infinibox.json": `{"addresses":["box"]}`, "challenge.keys": "v ssh-ed25519 AAAA"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.Service, err = New(Options{Dir: filepath.Join(dir, "state"), Config: dir, System: "system-1", Audit: w.audit, Clock: w.clock,
		Open: func(string, json.RawMessage) (Authenticator, error) { return w.plugin, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var bob, eve = Caller{UID: 1000, User: "bob", Client: "cli"}, Caller{UID: 1001, User: "eve", Client: "cli"}

func (w *world) try(by Caller, method string, answers ...string) (Ticket, error) {
	w.plugin.id.Method = method
	a := types(answers)
	return w.Login(context.Background(), by, How{Method: method}, &a)
}

// Whichever way somebody logs in, it ends in the same: a ticket of the same person
// with the same roles, for as long, and his alone. Only how he did it is told apart,
// in the ticket and in the audit log. REQ I2
func TestEveryMethodGivesTheSame(t *testing.T) {
	w := newWorld(t)
	if err := os.WriteFile(filepath.Join(w.opts.Config, "sso.json"), []byte(`{"issuer":"https://idp"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var first Ticket
	for i, method := range []string{"infinibox", "challenge", "sso"} {
		got, err := w.try(bob, method, "right")
		if err != nil {
			t.Fatalf("%s: %v", method, err)
		}
		if e := w.audit.last(); e.Type != audit.LoginOK || e.Detail["method"] != method {
			t.Errorf("%s is recorded as %+v", method, e)
		}
		if who, err := w.Who(bob); err != nil || who.Method != method {
			t.Errorf("%s: %+v, %v", method, who, err)
		}
		if _, err := w.Who(eve); !errors.Is(err, ErrNobody) {
			t.Errorf("%s: it is another's, too: %v", method, err)
		}
		got.Method = ""
		got.Evidence = maps.Clone(got.Evidence)
		if method == "sso" { // the configured relay is used then (REQ B4)
			delete(got.Evidence, "rss_address")
		}
		if i == 0 {
			first = got
		} else if diff := cmp.Diff(first, got, cmp.AllowUnexported(Ticket{}, moment{})); diff != "" {
			t.Errorf("%s gives something else than infinibox: %s", method, diff)
		}
	}
}

// REQ C7
func TestTickets(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Who(bob); !errors.Is(err, ErrNobody) {
		t.Fatal(err)
	}
	got, err := w.try(bob, "infinibox", "right")
	if err != nil || got.User != "ada" || got.Method != "infinibox" || !got.Expires.Equal(w.clock.wall.Add(TicketLife)) {
		t.Fatalf("%+v, %v", got, err)
	}
	if e := w.audit.last(); e.Type != audit.LoginOK || e.Actor != "uid:1000(bob)" || e.Subject != "ada" || e.Detail["serial"] != "4242" || e.Detail["method"] != "infinibox" {
		t.Errorf("recorded %+v", e)
	}
	if who, err := w.Who(bob); err != nil || who.User != "ada" {
		t.Errorf("%+v, %v", who, err)
	}
	// It is his alone: not another user's, nor that of a browser.
	for _, other := range []Caller{eve, {UID: 1000, Session: "x"}} {
		if _, err := w.Who(other); !errors.Is(err, ErrNobody) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	if who, err := w.Who(Caller{UID: 0}); err != nil || who.Method != "root" || who.Roles[0] != "root" {
		t.Errorf("root: %+v, %v", who, err)
	}
	if _, err := w.Who(Caller{UID: 0, Session: "browser"}); !errors.Is(err, ErrNobody) {
		t.Error("a browser passes for root")
	}
	w.clock.wall = w.clock.wall.Add(-time.Hour) // setting the clock gains nothing
	w.clock.mu.Lock()
	w.clock.up += TicketLife
	w.clock.mu.Unlock()
	if _, err := w.Who(bob); !errors.Is(err, ErrNobody) {
		t.Errorf("after its time: %v", err)
	}
	w.try(bob, "infinibox", "right")
	if out, err := w.Logout(bob); !out || err != nil || w.audit.last().Type != audit.LoginEnded {
		t.Errorf("logout: %v, %v", out, err)
	}
	if _, err := w.Who(bob); !errors.Is(err, ErrNobody) {
		t.Error("logged out and still known")
	}
	w.try(bob, "infinibox", "right")
	w.clock.boot = "two"
	if _, err := w.Who(bob); !errors.Is(err, ErrNobody) {
		t.Error("a ticket outlives a restart")
	}
}

func TestIdentitiesThatAreRefused(t *testing.T) {
	for name, change := range map[string]func(*host.Identity){
		"root":           func(id *host.Identity) { id.Roles = []string{"admin", "root"} },
		"another method": func(id *host.Identity) { id.Method = "sso" },
		"expired":        func(id *host.Identity) { id.Expires = time.Unix(1_799_999_999, 0) },
		"no duration":    func(id *host.Identity) { id.Evidence = map[string]string{"max_session": "for ever"} },
	} {
		w := newWorld(t)
		w.plugin.id.Method = "infinibox"
		change(&w.plugin.id)
		a := types{"right"}
		if _, err := w.Login(t.Context(), bob, How{Method: "infinibox"}, &a); err == nil {
			t.Errorf("%s: let in", name)
		}
		if _, err := w.Who(bob); !errors.Is(err, ErrNobody) {
			t.Errorf("%s: has a ticket", name)
		}
	}
	w := newWorld(t)
	w.audit.fail = errors.New("disk full")
	if _, err := w.try(bob, "infinibox", "right"); err == nil {
		t.Error("let in without a record")
	}
	if _, err := w.Who(bob); !errors.Is(err, ErrNobody) {
		t.Error("a login that is not recorded holds")
	}
}

func TestBackoff(t *testing.T) {
	w := newWorld(t)
	locked := false
	for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
		_, err := w.try(bob, "infinibox", "bad-login")
		var wait *WaitError
		if errors.As(err, &wait) {
			t.Fatalf("answer %d had to wait: %v", n+1, err)
		}
		locked = locked || w.audit.last().Type == audit.LoginLocked
		if locked != (want*time.Second >= lockedFrom) {
			t.Errorf("after %d wrong answers: %+v", n+1, w.audit.last())
		}
		before := len(w.plugin.seen)
		w.clock.pass(want*time.Second - time.Millisecond)
		if _, err := w.try(bob, "infinibox", "right"); !errors.As(err, &wait) || len(w.plugin.seen) != before {
			t.Fatalf("after %d wrong answers: not held back for %ds: %v", n+1, want, err)
		}
		w.clock.pass(time.Minute) // longer than the method as a whole waits
	}
	// Another user does not wait for longer than the method does, and a right
	// answer ends it.
	w.clock.pass(longestOne)
	if _, err := w.try(eve, "infinibox", "right"); err != nil {
		t.Error(err)
	}
	if _, err := w.try(bob, "infinibox", "right"); err != nil {
		t.Error(err)
	}
	if _, err := w.try(bob, "infinibox", "bad-login"); errors.As(err, new(*WaitError)) {
		t.Error(err)
	}
	// A restart of the machine does not shorten a wait.
	w.clock.boot, w.clock.up = "two", 10*time.Second
	if _, err := w.try(bob, "infinibox", "right"); !errors.As(err, new(*WaitError)) {
		t.Errorf("after a restart: %v", err)
	}
	w.clock.pass(longestAll)
	if _, err := w.try(bob, "infinibox", "right"); err != nil {
		t.Error(err)
	}
}

// What is no guess is not held against anybody.
func TestWhatCounts(t *testing.T) {
	for answer, counts := range map[string]bool{
		"bad-login": true, "locked-out": true, "crash": true, "failed": true, "panicked": true, "reset": true,
		"cancelled": false, "unreachable": false, "timeout": false, "denied": false, "config": false,
	} {
		w := newWorld(t)
		if _, err := w.try(bob, "infinibox", "typo", "typo", answer); err == nil {
			t.Fatal("let in")
		}
		_, err := w.try(bob, "infinibox", "right")
		if errors.As(err, new(*WaitError)) != counts {
			t.Errorf("%s: %v", answer, err)
		}
		if e := w.audit.all[0]; e.Type != audit.LoginFailed || strings.Contains(e.Detail["reason"], "right") {
			t.Errorf("%s: recorded %+v", answer, e)
		}
	}
}

// Guessing with many browsers, or many users, ends at the method's own bound.
func TestManySources(t *testing.T) {
	w := newWorld(t)
	admitted := 0
	for i := range 500 {
		by := Caller{UID: uint32(i), Session: "s", Client: "web " + string(rune('a'+i%26)) + string(rune(i))}
		if _, err := w.try(by, "infinibox", "bad-login"); !errors.As(err, new(*WaitError)) {
			admitted++
		}
		w.clock.pass(10 * time.Millisecond)
	}
	if admitted > patience+4 {
		t.Errorf("%d guesses in 5 s", admitted)
	}
}

// Two who guess at the same time do not get two guesses.
func TestConcurrentGuesses(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	admitted := 0
	w.plugin.id.Method = "infinibox"
	for range 20 {
		all.Go(func() {
			a := types{"bad-login"}
			svc := *w.Service
			svc.opts.Open = func(string, json.RawMessage) (Authenticator, error) { return &plugin{id: w.plugin.id}, nil }
			if _, err := svc.Login(t.Context(), bob, How{Method: "infinibox"}, &a); !errors.As(err, new(*WaitError)) {
				mu.Lock()
				admitted++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if admitted != 1 {
		t.Errorf("%d of 20 guesses at once were admitted", admitted)
	}
}

// REQ C4, C6
func TestChallenges(t *testing.T) {
	w := newWorld(t)
	nonce := func() string { return w.plugin.facts["challenge.nonce"] }
	w.try(bob, Challenge) // looks at it and leaves
	first := nonce()
	if len(first) != 32 || w.plugin.facts["challenge.host"] != "system-1" || w.plugin.facts["challenge.life"] != "30m0s" {
		t.Fatalf("facts %+v", w.plugin.facts)
	}
	w.clock.pass(10 * time.Minute)
	w.try(bob, Challenge)
	if nonce() != first || w.plugin.facts["challenge.age"] != "10m0s" || w.plugin.facts["challenge.life"] != "20m0s" {
		t.Errorf("after a reload: %+v", w.plugin.facts)
	}
	w.try(eve, Challenge)
	if nonce() == first {
		t.Error("two users share a challenge")
	}
	a := types{}
	w.Login(t.Context(), bob, How{Method: Challenge, Fresh: true}, &a)
	second := nonce()
	if second == first {
		t.Error("a new challenge is the old one")
	}
	w.plugin.id.Evidence = map[string]string{"max_session": "2h0m0s"}
	if got, err := w.try(bob, Challenge, "typo", "right"); err != nil || got.MaxSession != 2*time.Hour || nonce() != second {
		t.Errorf("%+v, %v", got, err)
	}
	w.try(bob, Challenge)
	if nonce() == second {
		t.Error("a challenge that was answered is shown again")
	}
	third := nonce()
	w.clock.pass(ChallengeLife)
	if w.try(bob, Challenge); nonce() == third {
		t.Error("an expired challenge is shown again")
	}
	fourth := nonce()
	w.clock.boot = "two"
	if w.try(bob, Challenge); nonce() == fourth {
		t.Error("a challenge outlives a restart")
	}
}

func TestFiveWrongResponses(t *testing.T) {
	w := newWorld(t)
	var nonce string
	for i := range maxWrong {
		w.try(bob, Challenge, "bad-login")
		if i == 0 {
			nonce = w.plugin.facts["challenge.nonce"]
		} else if w.plugin.facts["challenge.nonce"] != nonce {
			t.Fatalf("the challenge changed after %d wrong responses", i)
		}
		w.clock.pass(time.Minute)
	}
	if w.try(bob, Challenge); w.plugin.facts["challenge.nonce"] == nonce {
		t.Error("a challenge stays after five wrong responses")
	}
}

func TestThreeChallenges(t *testing.T) {
	w := newWorld(t)
	for i := range 4 {
		_, err := w.try(Caller{UID: uint32(2000 + i)}, Challenge)
		if errors.Is(err, errManyChallenges) != (i == 3) {
			t.Errorf("challenge %d: %v", i+1, err)
		}
	}
	if _, err := w.try(Caller{UID: 0}, Challenge); errors.Is(err, errManyChallenges) {
		t.Error("others keep root out")
	}
}

// A response gets in once, though it is given twice at the same time, and
// though the process dies in between.
func TestSingleUse(t *testing.T) {
	w := newWorld(t)
	w.plugin.id.Method = Challenge
	inner := 0
	w.plugin.run = func() { // while the first answer is with the plugin, another one gets in
		if inner++; inner > 1 {
			return
		}
		w.clock.pass(2 * time.Second)
		a := types{"right"}
		if _, err := w.Login(t.Context(), bob, How{Method: Challenge}, &a); err != nil {
			t.Error("the inner login:", err)
		}
	}
	a := types{"right"}
	if _, err := w.Login(t.Context(), bob, How{Method: Challenge}, &a); !errors.Is(err, errGone) {
		t.Errorf("the same challenge got in twice: %v", err)
	}

	w = newWorld(t)
	w.audit.fail = errors.New("the process dies here")
	w.try(bob, Challenge, "right")
	used := w.plugin.facts["challenge.nonce"]
	w.audit.fail = nil
	if w.try(bob, Challenge); w.plugin.facts["challenge.nonce"] == used {
		t.Error("a challenge that was answered survives a crash before the ticket")
	}
}

// A crash while the plugin thinks leaves the answer counted.
func TestCrashCounts(t *testing.T) {
	w := newWorld(t)
	func() {
		defer func() { recover() }()
		w.plugin.run = func() { panic("killed") }
		w.try(bob, Challenge, "right")
	}()
	w.plugin.run = nil
	if _, err := w.try(bob, Challenge, "right"); !errors.As(err, new(*WaitError)) {
		t.Errorf("after a crash: %v", err)
	}
}

func TestSettingsAreTrusted(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.opts.Config, "infinibox.json")
	for _, step := range []struct {
		name  string
		spoil func() error
		want  string
	}{
		{"writable", func() error { return os.Chmod(path, 0o666) }, "can be written by others"},
		{"no object", func() error {
			return errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte(`"hunter2"`), 0o600))
		}, "no JSON object"},
		{"absent", func() error { return os.Remove(path) }, "not set up"},
	} {
		if err := step.spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.try(bob, "infinibox", "right"); err == nil || !strings.Contains(err.Error(), step.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", step.name, err)
		}
	}
	if _, err := w.try(bob, "../x", "right"); !errors.As(err, new(*UsageError)) {
		t.Error(err)
	}
	if b, _, err := w.settings(Challenge); err != nil || !bytes.Contains(b, []byte("ssh-ed25519")) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestSecretsInSettings(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(w.opts.Config, "infinibox.json")
	for text, refused := range map[string]bool{
		`{"addresses":["box"]}`: false, `{"event_password":"c4n4ry"}`: true, `{"event_password":""}`: false,
		`{"proxy":{"address":"p:1","password":"c4n4ry"}}`: true, `{"client_secret":"c4n4ry"}`: true,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for mode, open := range map[os.FileMode]bool{0o600: false, 0o640: true, 0o604: true} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			_, err := w.try(bob, "infinibox", "right")
			if (err != nil) != (refused && open) || err != nil && (!strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), "c4n4ry")) {
				t.Errorf("%s, mode %o: %v", text, mode, err)
			}
		}
	}
}

func TestDamagedState(t *testing.T) {
	w := newWorld(t)
	w.try(bob, "infinibox", "right")
	path := filepath.Join(w.opts.Dir, "state.json")
	for _, text := range []string{"{", `{"v":2}`, `{"v":1,"tickets":[null]}`, `{"v":1,"attempts":{"x":null}}`, `{"v":1,"challenges":[{"nonce":"zz"}]}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if who, err := w.Who(Caller{UID: 1000}); err == nil || errors.Is(err, ErrNobody) {
			t.Errorf("%s: %+v, %v", text, who, err)
		}
	}
}

func FuzzParseState(f *testing.F) {
	f.Add([]byte(`{"v":1,"attempts":{"uid:1/":{"wrong":3,"last":{"boot":"x","since":1}}},"tickets":[{"for":"uid:1/"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := parseState(b)
		if err != nil {
			return
		}
		now := moment{"x", time.Hour}
		st.tidy(now)
		if w := st.wait("uid:1/", "m", now); w < 0 || w > longestOne {
			t.Errorf("wait %v", w)
		}
	})
}
