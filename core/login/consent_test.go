package login

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host"
)

var carol = Caller{UID: 1002, User: "carol", Client: "cli"}

// answers types one answer, and tells what it was shown.
type answers struct {
	text  string
	shown chan host.Notice
}

func (a answers) Ask(context.Context, []host.Field) (map[string][]byte, error) {
	return map[string][]byte{"answer": []byte(a.text)}, nil
}

func (a answers) Show(_ context.Context, n host.Notice) error {
	a.shown <- n
	return nil
}

func withConsent(t *testing.T, text string) *world {
	t.Helper()
	w := newWorld(t)
	if err := os.WriteFile(filepath.Join(w.opts.Config, "challenge.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.plugin.id.Method = Challenge
	w.plugin.id.Evidence = map[string]string{"engineer": "ada", "consent": "uid:0(root)"}
	return w
}

type result struct {
	t   Ticket
	err error
}

// begin logs bob in as far as to the question whether somebody agrees.
func (w *world) begin(t *testing.T, ctx context.Context) (id string, done chan result) {
	t.Helper()
	a, done := answers{"right", make(chan host.Notice, 4)}, make(chan result, 1)
	go func() {
		got, err := w.Login(ctx, bob, How{Method: Challenge}, a)
		done <- result{got, err}
	}()
	select {
	case n := <-a.shown:
		if !strings.Contains(n.Value, "carol or dave, on this machine") {
			t.Fatalf("shown %+v", n)
		}
		return n.Value[strings.LastIndex(n.Value, " ")+1:], done
	case r := <-done:
		t.Fatalf("nobody was asked: %+v", r)
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was asked")
	}
	return "", nil
}

func TestConsent(t *testing.T) {
	for _, yes := range []bool{true, false} {
		w := withConsent(t, `{"consent":["carol","dave"]}`)
		id, done := w.begin(t, t.Context())
		// Not he himself under whichever name, nobody else, no browser, no
		// other login.
		for _, by := range []Caller{bob, {UID: 1000, User: "carol"}, eve, {UID: 0, User: "root"}, {UID: 1002, User: "carol", Session: "x"}} {
			if list, _ := w.Waiting(by); len(list) != 0 {
				t.Errorf("%+v sees %v", by, list)
			}
			if _, err := w.Confirm(by, id, true); err == nil {
				t.Errorf("%+v agreed", by)
			}
		}
		if _, err := w.Confirm(carol, "AAAAAA", true); err == nil {
			t.Error("agreed to nothing")
		}
		if _, err := w.Who(bob); !errors.Is(err, ErrNobody) {
			t.Error("a ticket before anybody agreed")
		}
		if list, err := w.Waiting(carol); err != nil || len(list) != 1 || list[0].User != "ada" || list[0].Caller != "uid:1000(bob)" {
			t.Errorf("carol sees %v, %v", list, err)
		}
		if _, err := w.Confirm(carol, " "+strings.ToLower(id), yes); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Confirm(carol, id, true); err == nil {
			t.Error("carol changed her mind")
		}
		r := <-done
		var said []audit.Event
		for _, e := range w.audit.all {
			if e.Type == audit.LoginConsent {
				said = append(said, e)
			}
		}
		if len(said) != 1 || said[0].Actor != "uid:1002(carol)" || said[0].Subject != "ada" || said[0].Detail["caller"] != "uid:1000(bob)" ||
			said[0].Detail["method"] != Challenge || said[0].Detail["client"] != "cli" || (said[0].Detail["answer"] == "yes") != yes {
			t.Errorf("recorded %+v", said)
		}
		if !yes {
			if !errors.As(r.err, new(*ConsentError)) || !strings.Contains(r.err.Error(), "carol") {
				t.Errorf("%+v", r)
			}
			if e := w.audit.last(); e.Type != audit.LoginFailed || e.Detail["counted"] != "false" {
				t.Errorf("recorded %+v", e)
			}
			if got, err := w.begin2(t); got.Method != "" || errors.As(err, new(*WaitError)) {
				t.Errorf("after a no: %+v, %v", got, err)
			}
			continue
		}
		if r.err != nil || r.t.Evidence["consent"] != "uid:1002(carol)" || w.audit.last().Detail["consent"] != "uid:1002(carol)" {
			t.Errorf("%+v, recorded %+v", r, w.audit.last())
		}
		if list, _ := w.Waiting(carol); len(list) != 0 {
			t.Errorf("still waiting: %v", list)
		}
	}
}

// begin2 begins once more and gives up.
func (w *world) begin2(t *testing.T) (Ticket, error) {
	ctx, cancel := context.WithCancel(t.Context())
	_, done := w.begin(t, ctx)
	cancel()
	r := <-done
	return r.t, r.err
}

func TestConsentEnds(t *testing.T) {
	w := withConsent(t, `{"consent":["carol","dave"]}`)
	id, done := w.begin(t, t.Context())
	w.clock.pass(consentLife)
	if r := <-done; !errors.As(r.err, new(*ConsentError)) || !strings.Contains(r.err.Error(), "in time") {
		t.Errorf("%+v", r)
	}
	if _, err := w.Confirm(carol, id, true); err == nil {
		t.Error("agreed too late")
	}
	if _, err := w.begin2(t); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if list, _ := w.Waiting(carol); len(list) != 0 {
		t.Errorf("waiting without anybody who waits: %v", list)
	}
	// A plugin cannot say that somebody agreed.
	w = withConsent(t, `{}`)
	if got, err := w.try(bob, Challenge, "right"); err != nil || got.Evidence["consent"] != "" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{`{"consent":[]}`, `{"consent":"carol"}`, `{"consent":[""]}`, `{"consent":null}`} {
		w := withConsent(t, text)
		if _, err := w.try(bob, Challenge, "right"); !errors.As(err, new(*UsageError)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Guesses at a challenge, as fast as can be: almost none of them is looked at.
// What the plugin does with 10,000 is in its own tests.
func TestGuesses(t *testing.T) {
	w := newWorld(t)
	looked := 0
	w.plugin.run = func() { looked++ }
	w.plugin.id.Method = Challenge
	for i := range 2_000 {
		w.try(bob, Challenge, "bad-login")
		if i%100 == 99 {
			w.clock.pass(5 * time.Second)
		}
	}
	if looked > 10 {
		t.Errorf("%d of 2000 guesses within 100 s were looked at", looked)
	}
	if _, err := w.try(bob, Challenge, "right"); !errors.As(err, new(*WaitError)) {
		t.Errorf("after them: %v", err)
	}
	locked := 0
	for _, e := range w.audit.all {
		if e.Type == audit.LoginLocked {
			locked++
		}
	}
	if locked == 0 {
		t.Error("no lock-out is recorded")
	}
}
