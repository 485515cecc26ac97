package login

import (
	"errors"
	"testing"
	"time"
)

// A browser's login lasts for as long as one looks on, says how old it is, and is
// nobody's when the web server starts anew.
func TestBrowsers(t *testing.T) {
	w := newWorld(t)
	b := Caller{UID: 0, User: "root", Session: "s1", Client: "web 192.0.2.7"}
	if _, err := w.Who(b); !errors.Is(err, ErrNobody) {
		t.Errorf("a browser is root: %v", err)
	}
	if _, err := w.try(bob, "infinibox", "right"); err != nil {
		t.Fatal(err)
	}
	got, err := w.try(b, "infinibox", "right")
	if err != nil || !got.Expires.Equal(w.clock.wall.Add(BrowserLife)) {
		t.Fatalf("%+v, %v", got, err)
	}
	if e := w.audit.last(); e.Actor != "web:192.0.2.7" || e.Detail["client"] != "web 192.0.2.7" {
		t.Errorf("recorded %+v", e)
	}
	w.clock.up += 10 * time.Minute
	if got, err := w.Who(b); err != nil || got.Age != 10*time.Minute {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := w.Who(Caller{UID: 0, Session: "s2", Client: b.Client}); !errors.Is(err, ErrNobody) {
		t.Errorf("another browser: %v", err)
	}
	if err := w.ForgetBrowsers(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Who(b); !errors.Is(err, ErrNobody) {
		t.Errorf("forgotten: %v", err)
	}
	if _, err := w.Who(bob); err != nil {
		t.Errorf("the local user: %v", err)
	}
}
