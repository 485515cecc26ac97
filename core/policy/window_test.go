package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func windowOf(t *testing.T, days, from, to, zone string) windowSet {
	t.Helper()
	p := mustParse(t, fmt.Sprintf("session {\n window \"w\" {\n days = [%q]\n from = %q\n to = %q\n zone = %q\n }\n}", days, from, to, zone))
	return p.merged[keyByPath["session.window"].index].value.windows.sets[0]
}

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		days, from, to, zone string
		at, end              string // empty: closed
	}{
		{"mon-fri", "08:00", "18:00", "Europe/Zurich", "2026-03-02T08:00:00+01:00", "2026-03-02T18:00:00+01:00"},
		{"mon-fri", "08:00", "18:00", "Europe/Zurich", "2026-03-02T17:59:59+01:00", "2026-03-02T18:00:00+01:00"},
		{"mon-fri", "08:00", "18:00", "Europe/Zurich", "2026-03-02T18:00:00+01:00", ""},
		{"mon-fri", "08:00", "18:00", "Europe/Zurich", "2026-03-02T07:59:59+01:00", ""},
		{"mon-fri", "08:00", "18:00", "Europe/Zurich", "2026-03-01T12:00:00+01:00", ""},
		{"mon-fri", "08:00", "18:00", "Europe/Zurich", "2026-07-01T06:00:00Z", "2026-07-01T16:00:00Z"}, // summer time
		{"fri", "22:00", "06:00", "UTC", "2026-03-07T05:59:00Z", "2026-03-07T06:00:00Z"},               // over midnight
		{"fri", "22:00", "06:00", "UTC", "2026-03-06T05:00:00Z", ""},
		{"sat", "00:00", "24:00", "UTC", "2026-03-07T23:59:59Z", "2026-03-08T00:00:00Z"},
		{"fri-mon", "00:00", "24:00", "UTC", "2026-03-06T12:00:00Z", "2026-03-10T00:00:00Z"}, // without a gap, over the week's end
		{"daily", "00:00", "24:00", "UTC", "2026-03-06T12:00:00Z", "9999-01-01T00:00:00Z"},
		{"daily", "12:00", "12:00", "UTC", "2026-03-06T11:00:00Z", "9999-01-01T00:00:00Z"},
		// The night in which the clock jumps from 02:00 to 03:00: an hour shorter.
		{"sun", "01:00", "04:00", "Europe/Zurich", "2026-03-29T00:30:00Z", "2026-03-29T02:00:00Z"},
		// And the one with an hour twice.
		{"sun", "01:00", "04:00", "Europe/Zurich", "2026-10-25T00:30:00Z", "2026-10-25T03:00:00Z"},
	} {
		w := windowOf(t, c.days, c.from, c.to, c.zone)
		got := w.end(at(t, c.at))
		if c.end == "" && !got.IsZero() || c.end != "" && !got.Equal(at(t, c.end)) {
			t.Errorf("%s %s-%s %s at %s: until %v, want %q", c.days, c.from, c.to, c.zone, c.at, got, c.end)
		}
	}
}

func TestFormatDays(t *testing.T) {
	for in, want := range map[string]string{"mon-fri": "mon-fri", "fri-mon": "mon,fri-sun", "sat-sun": "sat,sun", "daily": "mon-sun", "wed": "wed"} {
		days, err := parseDays([]string{in})
		if err != nil || formatDays(days) != want {
			t.Errorf("%s: %s %v, want %s", in, formatDays(days), err, want)
		}
	}
}

// nextOpen against a search minute by minute, and the kept answer of a
// schedule against that of its sets.
func TestScheduleAgainstSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	clocks := []string{"00:00", "06:30", "08:00", "12:00", "18:00", "22:00"}
	days := []string{"mon-fri", "sat", "daily", "tue", "fri-mon"}
	zones := []string{"UTC", "Europe/Zurich", "Asia/Kolkata", "America/St_Johns"}
	for range 40 {
		var sets []windowSet
		for range 1 + r.IntN(3) {
			sets = append(sets, windowOf(t, pick(r, days), pick(r, clocks), pick(r, clocks), pick(r, zones)))
		}
		s := newSchedule(sets)
		now := monday.Add(time.Duration(r.IntN(14*24*60)) * time.Minute)
		if s.isOpen(now) == s.end(now).IsZero() || s.isOpen(now) == s.end(now.Add(30*time.Second)).IsZero() {
			t.Fatalf("%s at %v: open %t, until %v", s, now, s.isOpen(now), s.end(now))
		}
		if s.isOpen(now) {
			end := s.end(now)
			if end.Before(forever) && (s.isOpen(end) || !s.isOpen(end.Add(-time.Minute))) {
				t.Errorf("%s at %v: does not close at %v", s, now, end)
			}
			continue
		}
		want := time.Time{}
		for m := now; m.Before(now.Add(9 * 24 * time.Hour)); m = m.Add(time.Minute) {
			if s.isOpen(m) {
				want = m
				break
			}
		}
		if got := s.nextOpen(now); !want.IsZero() && !got.Equal(want) {
			t.Errorf("%s at %v: next %v, want %v", s, now, got, want)
		}
	}
}
