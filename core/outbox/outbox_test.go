package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/testdata/until"
)

// place is where a sink brings events, and what can be wrong there.
type place struct {
	mu      sync.Mutex
	got     []host.Event
	fail    func(e host.Event, try int) error
	hang    bool
	tries   map[string]int
	hanging chan struct{}
}

func (p *place) Deliver(ctx context.Context, e host.Event) error {
	p.mu.Lock()
	if p.tries == nil {
		p.tries = map[string]int{}
	}
	p.tries[e.ID]++
	hang, fail, try := p.hang, p.fail, p.tries[e.ID]
	p.mu.Unlock()
	if hang {
		select {
		case p.hanging <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return ctx.Err()
	}
	if fail != nil {
		if err := fail(e, try); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, e)
	return nil
}

func (p *place) Close() error { return nil }

func (p *place) set(f func(p *place)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

func (p *place) codes() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.got {
		out = append(out, e.Code+" "+e.Data["subject"])
	}
	return out
}

// lab is a log with an outbox.
type lab struct {
	t      *testing.T
	dir    string
	log    *audit.Log
	box    *Outbox
	places map[string]*place
	cancel context.CancelFunc
	ended  chan struct{}
}

func newLab(t *testing.T, files map[string]string) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), places: map[string]*place{}}
	os.Mkdir(filepath.Join(l.dir, "events.d"), 0o755)
	for name, text := range files {
		l.write(name, text)
	}
	log, err := audit.Open(filepath.Join(l.dir, "audit"))
	if err != nil {
		t.Fatal(err)
	}
	l.log = log
	t.Cleanup(func() { l.stop(); log.Close() })
	return l
}

func (l *lab) write(name, text string) {
	if err := os.WriteFile(filepath.Join(l.dir, "events.d", name+".json"), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) options() Options {
	return Options{
		Audit: filepath.Join(l.dir, "audit"), Dir: filepath.Join(l.dir, "outbox"), Config: filepath.Join(l.dir, "events.d"),
		Array: filepath.Join(l.dir, "infinibox.json"), Record: l.log, System: "sys",
		Open:  func(plugin string, _ json.RawMessage) (Deliverer, error) { return l.place(plugin), nil },
		first: time.Millisecond, most: 5 * time.Millisecond, dropEvery: time.Millisecond, limit: 20 * time.Second, look: 5 * time.Millisecond,
	}
}

func (l *lab) place(plugin string) *place {
	if l.places[plugin] == nil {
		l.places[plugin] = &place{hanging: make(chan struct{}, 1)}
	}
	return l.places[plugin]
}

// start runs the outbox, and waits until every sink knows where it begins.
func (l *lab) start() {
	l.t.Helper()
	l.box = New(l.options())
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel, l.ended = cancel, make(chan struct{})
	box, ended := l.box, l.ended
	go func() { defer close(ended); box.Run(ctx, 200*time.Millisecond) }()
	until.True(l.t, "the cursors are there", func() bool {
		all, _, _ := box.Settings()
		for _, s := range all {
			if _, err := box.readCursor(s.Name); s.Missing == "" && errors.Is(err, errNew) {
				return false
			}
		}
		return true
	})
}

func (l *lab) stop() {
	if l.cancel != nil {
		l.cancel()
		<-l.ended
		l.cancel = nil
	}
}

func (l *lab) add(kind audit.Type, subject string, pairs ...string) audit.Record {
	l.t.Helper()
	e := audit.Event{Type: kind, Actor: "agent", Subject: subject, Detail: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		e.Detail[pairs[i]] = pairs[i+1]
	}
	r, err := l.log.Append(e)
	if err != nil {
		l.t.Fatal(err)
	}
	if l.cancel != nil {
		l.box.Wake()
	}
	return r
}

func (l *lab) gets(plugin string, want ...string) {
	l.t.Helper()
	p := l.places[plugin]
	until.True(l.t, fmt.Sprintf("%s has %v", plugin, want), func() bool { return len(p.codes()) >= len(want) })
	if got := p.codes(); fmt.Sprint(got) != fmt.Sprint(want) {
		l.t.Fatalf("%s got\n%v, want\n%v", plugin, got, want)
	}
}

func (l *lab) recorded(kind audit.Type) (out []audit.Record) {
	l.t.Helper()
	for r, err := range audit.Read(filepath.Join(l.dir, "audit")) {
		if err != nil {
			l.t.Fatal(err)
		}
		if r.Type == kind {
			out = append(out, r)
		}
	}
	return out
}

var four = []string{"SUPPORT_SESSION_STARTED s1", "SUPPORT_CONNECTED c1", "SUPPORT_CONNECTED c2", "SUPPORT_DISCONNECTED c1", "SUPPORT_DISCONNECTED c2", "SUPPORT_SESSION_ENDED s1"}

func (l *lab) session() {
	l.t.Helper()
	l.add(audit.SessionOpened, "s1", "name", "s1", "expires", "2026-11-23T12:00:00Z")
	l.add(audit.PluginStarted, "transport/direct")
	l.add(audit.ConnectionOpened, "c1")
	l.add(audit.ConnectionOpened, "c2")
	l.add(audit.ConnectionClosed, "c1")
	l.add(audit.ConnectionClosed, "c2")
	l.add(audit.SessionEnded, "s1", "name", "s1")
}

// REQ E3, E4, E6: a pair for each connection, in order, with the data that the
// array's texts need, for as many sinks as there are.
func TestSession(t *testing.T) {
	l := newLab(t, map[string]string{"a": `{"events":["session"]}`, "b": `{"events":["session"]}`})
	l.add(audit.SessionOpened, "before it was set up")
	l.place("a")
	l.place("b")
	l.start()
	l.session()
	l.gets("a", four...)
	l.gets("b", four...)
	first := l.places["a"].got[0]
	if first.Description != "Support session started" || first.Data["session_name"] != "s1" || first.Data["session_expiry_time"] != "2026-11-23T12:00:00Z" || first.Level != "info" {
		t.Errorf("the first event is %+v", first)
	}
	if got := l.places["a"].got[1].Description; got != "Vendor Support connected to the system" {
		t.Error(got)
	}
}

// REQ E5, E7: order and no loss with a sink that fails, fails again, and takes an
// event whose acknowledgement is lost.
func TestASinkThatFails(t *testing.T) {
	l := newLab(t, map[string]string{"a": `{"events":["session"]}`})
	l.place("a").fail = func(_ host.Event, try int) error {
		if try <= 3 {
			return errors.New("not now")
		}
		return nil
	}
	l.start()
	l.session()
	l.gets("a", four...)
	states, err := l.box.States()
	if err != nil || len(states) != 1 {
		t.Fatal(states, err)
	}
	until.True(l.t, "the state is well", func() bool {
		s, _ := l.box.States()
		return s[0].Waiting == 0 && s[0].Error == "" && s[0].Delivered == 6
	})
}

// REQ E7: a sink that hangs delays nobody, neither a session nor another sink, nor
// the end of the agent for long; what it did not get comes after a restart.
func TestASinkThatHangs(t *testing.T) {
	l := newLab(t, map[string]string{"a": `{"events":["session"]}`, "b": `{"events":["session"]}`})
	l.place("a").hang = true
	l.place("b")
	l.start()
	began := time.Now()
	l.session()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("events took %v to record", took)
	}
	l.gets("b", four...)
	<-l.places["a"].hanging
	until.True(l.t, "the states are right", func() bool {
		s, err := l.box.States()
		return err == nil && s[0].Waiting == 6 && s[1].Waiting == 0
	})
	began = time.Now()
	l.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v to end", took)
	}
	l.places["a"].set(func(p *place) { p.hang = false })
	l.start()
	l.gets("a", four...)
	l.gets("b", four...)
}

// REQ E5: killed at any moment, nothing is lost, and what comes twice has the same
// ID. What is on disk then is a cursor of any earlier moment, which is what is
// played here.
func TestAfterAKill(t *testing.T) {
	l := newLab(t, map[string]string{"a": `{"events":["session"]}`})
	l.place("a")
	l.start()
	old, err := os.ReadFile(filepath.Join(l.dir, "outbox", "a.json"))
	if err != nil {
		t.Fatal(err)
	}
	l.session()
	l.gets("a", four...)
	l.stop()
	if err := os.WriteFile(filepath.Join(l.dir, "outbox", "a.json"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	l.add(audit.SessionOpened, "s2") // while nobody delivers
	l.start()
	l.gets("a", append(append([]string{}, append(four, four...)...), "SUPPORT_SESSION_STARTED s2")...)
	got := l.places["a"].got
	for i := range four {
		if got[i].ID != got[i+6].ID || got[i].ID == "" {
			t.Errorf("event %d came with the IDs %q and %q", i, got[i].ID, got[i+6].ID)
		}
	}
}

// REQ E7: bounded, and what falls out is recorded.
func TestWhatFallsOut(t *testing.T) {
	l := newLab(t, map[string]string{"a": `{"events":["session"],"keep":3}`})
	p := l.place("a")
	p.fail = func(host.Event, int) error { return errors.New("down") }
	l.start()
	for i := range 10 {
		l.add(audit.ConnectionOpened, fmt.Sprint("c", i))
	}
	until.True(l.t, "the loss is recorded", func() bool {
		n := 0
		for _, r := range l.recorded(audit.EventDropped) {
			k := 0
			fmt.Sscan(r.Detail["events"], &k)
			n += k
		}
		return n == 7
	})
	p.set(func(p *place) { p.fail = nil })
	l.gets("a", "SUPPORT_CONNECTED c7", "SUPPORT_CONNECTED c8", "SUPPORT_CONNECTED c9")
	until.True(l.t, "the state tells it", func() bool { s, _ := l.box.States(); return s[0].Dropped == 7 && s[0].Waiting == 0 })
}

// A refusal for good is recorded and passed over; the same from a mistake in the
// settings is not, since somebody mends it.
func TestRefusedForGood(t *testing.T) {
	l := newLab(t, map[string]string{"a": `{"events":["session"]}`})
	l.place("a").fail = func(e host.Event, _ int) error {
		if e.Data["subject"] == "c1" {
			return &host.Failure{ID: "eventsink/a", Err: &failure.Error{Code: failure.Failed, Message: "never"}}
		}
		return nil
	}
	l.start()
	l.session()
	l.gets("a", four[0], four[2], four[4], four[5])
	if r := l.recorded(audit.EventRefused); len(r) != 2 || r[0].Detail["reason"] != "eventsink/a: never" || r[0].Subject != "a" {
		t.Errorf("recorded %+v", r)
	}
	for _, code := range []failure.Code{failure.Config, failure.Panicked, failure.Cancelled} {
		if permanent(&host.Failure{Err: &failure.Error{Code: code}}) {
			t.Errorf("%s is taken for a refusal", code)
		}
	}
}

// A disk on which no cursor can be written keeps no event from its place.
func TestFullDisk(t *testing.T) {
	l := newLab(t, map[string]string{"a": `{"events":["session"]}`})
	l.place("a")
	if err := os.WriteFile(filepath.Join(l.dir, "outbox"), nil, 0o600); err != nil { // no directory can be there
		t.Fatal(err)
	}
	l.box = New(l.options())
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel, l.ended = cancel, make(chan struct{})
	go func() { defer close(l.ended); l.box.Run(ctx, time.Second) }()
	until.True(l.t, "it has begun", func() bool {
		l.add(audit.SessionOpened, "s0")
		return len(l.places["a"].codes()) > 0
	})
	n := len(l.places["a"].codes())
	l.session()
	until.True(l.t, "all are there", func() bool {
		got := l.places["a"].codes()
		return len(got) >= n+6 && got[len(got)-1] == four[5]
	})
}

// What sinks do makes no events for sinks.
func TestNoEcho(t *testing.T) {
	c, err := choose([]string{"all"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []audit.Record{
		{Event: audit.Event{Type: audit.EventDropped}}, {Event: audit.Event{Type: audit.EventTested}},
		{Event: audit.Event{Type: audit.PluginCrashed, Subject: "eventsink/syslog"}},
	} {
		if c.has(r) {
			t.Errorf("%s of %s would be delivered", r.Type, r.Subject)
		}
	}
	if !c.has(audit.Record{Event: audit.Event{Type: audit.PluginCrashed, Subject: "transport/direct"}}) {
		t.Error("all are not all")
	}
}

// Settings that change count at once, and a sink that is taken away while events
// wait leaves a record of it.
func TestReload(t *testing.T) {
	l := newLab(t, map[string]string{"a": `{"events":["session"]}`})
	l.place("a").fail = func(host.Event, int) error { return errors.New("down") }
	l.place("b")
	l.start()
	l.add(audit.SessionOpened, "s1")
	until.True(l.t, "it fails", func() bool { s, _ := l.box.States(); return s[0].Error != "" })
	l.write("b", `{"events":["session.opened"]}`)
	until.True(l.t, "b has begun", func() bool { _, err := l.box.readCursor("b"); return err == nil })
	os.Remove(filepath.Join(l.dir, "events.d", "a.json"))
	until.True(l.t, "it is recorded", func() bool { return len(l.recorded(audit.EventDropped)) == 1 })
	until.True(l.t, "the cursor is gone", func() bool { _, err := l.box.readCursor("a"); return errors.Is(err, errNew) })
	l.add(audit.SessionOpened, "s2")
	l.add(audit.SessionEnded, "s2")
	l.gets("b", "SUPPORT_SESSION_STARTED s2")
}

func TestTest(t *testing.T) {
	l := newLab(t, map[string]string{"a": `{}`})
	l.box = New(l.options())
	p := l.place("a")
	all, _, err := l.box.Settings()
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if err := l.box.Test(t.Context(), all[0], "uid:0(root)"); err != nil || p.got[0].Code != TestCode {
		t.Fatal(err, p.got)
	}
	p.fail = func(host.Event, int) error {
		return &host.Failure{ID: "eventsink/a", Err: &failure.Error{Code: failure.Refused, Message: "no", Hint: "do this; do that"}}
	}
	err = l.box.Test(t.Context(), all[0], "uid:0(root)")
	var te *TestError
	if !errors.As(err, &te) || te.Hint() != "do this; do that" || te.ExitCode() != 4 {
		t.Errorf("%v", err)
	}
	if r := l.recorded(audit.EventTested); len(r) != 2 || r[0].Detail["result"] != "delivered" || !strings.Contains(r[1].Detail["result"], "no") {
		t.Errorf("recorded %+v", r)
	}
}

// REQ F3: mail gets failures of hardware and no sessions unless that is said, the
// array both, each at its level.
func TestHardware(t *testing.T) {
	l := newLab(t, map[string]string{"smtp": `{"host":"mx"}`, "infinibox": `{"array":{"addresses":["10.0.0.1"],"event_user":"e"}}`, "syslog": "{}",
		"more": `{"plugin":"smtp","host":"mx","events":["hardware","session"]}`})
	all, _, err := New(l.options()).Settings()
	if err != nil {
		t.Fatal(err)
	}
	records := []audit.Record{
		{Event: audit.Event{Type: audit.SessionOpened, Subject: "s1"}},
		{Event: audit.Event{Type: audit.HardwareFailed, Actor: "agent", Subject: "array md0 (raid1)", Detail: map[string]string{"what": "it lacks a member", "level": "error", "evidence": "degraded: 1 of 2 members"}}},
		{Event: audit.Event{Type: audit.HardwareRecovered, Actor: "agent", Subject: "array md0 (raid1)", Detail: map[string]string{"what": "it lacks a member", "how": "it is well again"}}},
		{Event: audit.Event{Type: audit.LoginFailed}},
	}
	want := map[string]string{"smtp": "-xx-", "infinibox": "xxx-", "syslog": "xxxx", "more": "xxx-"}
	for _, s := range all {
		got := ""
		for _, r := range records {
			got += map[bool]string{true: "x", false: "-"}[s.choice.has(r)]
		}
		if got != want[s.Name] {
			t.Errorf("%s gets %s, want %s", s.Name, got, want[s.Name])
		}
	}
	o := New(l.options())
	failed, over := o.toEvent(records[1]), o.toEvent(records[2])
	if failed.Code != "HARDWARE_FAILED" || failed.Level != "error" || failed.Description != "Hardware failure: array md0 (raid1): it lacks a member (degraded: 1 of 2 members)" {
		t.Errorf("%+v", failed)
	}
	if over.Code != "HARDWARE_RECOVERED" || over.Level != "info" || over.Description != "Hardware recovered: array md0 (raid1): it is well again (it was: it lacks a member)" {
		t.Errorf("%+v", over)
	}
	for said, want := range map[string]string{"warning": "warning", "critical": "critical", "": "error", "info": "error"} {
		r := records[1]
		r.Detail = map[string]string{"level": said}
		if e := o.toEvent(r); e.Level != want {
			t.Errorf("level %q became %q", said, e.Level)
		}
	}
	gone := records[2]
	gone.Detail = map[string]string{"what": "x", "how": "it is no longer there"}
	if e := o.toEvent(gone); e.Description != "Failed hardware: array md0 (raid1): it is no longer there (it was: x)" {
		t.Error(e.Description)
	}
}
