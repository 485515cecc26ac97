package main

import (
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/bundle"
)

func TestSince(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	tests := map[string]time.Time{
		"48h":                  now.Add(-48 * time.Hour),
		"90m":                  now.Add(-90 * time.Minute),
		"7d":                   now.AddDate(0, 0, -7),
		"0.5d":                 now.Add(-12 * time.Hour),
		"2026-11-20":           time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
		"2026-11-20 10:30":     time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC),
		"2026-11-20T10:30:00Z": time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC),
	}
	for s, want := range tests {
		if got, err := since(s, now); err != nil || !got.Equal(want) {
			t.Errorf("since(%q) = %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "yesterday", "-1h", "0h", "2027-01-01", "7", "d", "20-11-2026"} {
		if got, err := since(s, now); err == nil {
			t.Errorf("since(%q) = %v", s, got)
		}
	}
}

func TestSize(t *testing.T) {
	tests := map[string]int64{
		"1": 1, "100B": 100, "1k": 1000, "1kB": 1000, "1KB": 1000, "1Ki": 1024, "1.5MB": 1_500_000, "500MB": 500_000_000,
		"2GiB": 2 << 30, "1 G": 1_000_000_000, "3M": 3_000_000, "3MiB": 3 << 20,
	}
	for s, want := range tests {
		if got, err := size(s); err != nil || got != want {
			t.Errorf("size(%q) = %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "much", "-1MB", "0", "1TBB", "MB", "1e30", "0.1B"} {
		if got, err := size(s); err == nil {
			t.Errorf("size(%q) = %d", s, got)
		}
	}
}

// What plugins and archives call their files must not steer the terminal.
func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[2Jb\nc\u009bd é"); got != "a?[2Jb?c?d é" {
		t.Errorf("got %q", got)
	}
	if got := short(strings.Repeat("é", 200)); len([]rune(got)) != 100 || !strings.HasSuffix(got, "…") {
		t.Errorf("got %d runes", len([]rune(got)))
	}
	if got := short("fits"); got != "fits" {
		t.Errorf("got %q", got)
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{"3 of 9 files": count(3, 9, "files"), "3 files": count(3, 0, "files"), "12 files": count(12, 9, "files")} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	var r rate
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	if d := r.left(100, 1000, now); d != 0 {
		t.Errorf("at once: %s", d)
	}
	// What was there before does not count as fast.
	if d := r.left(400, 1000, now.Add(10*time.Second)); d != 20*time.Second {
		t.Errorf("after 10 s: %s", d)
	}
	if d := r.left(50, 1000, now.Add(20*time.Second)); d != 0 {
		t.Errorf("begun anew: %s", d)
	}
	if left(0) != "" || left(90*time.Second) != "  about 1m30s left" {
		t.Errorf("%q", left(90*time.Second))
	}
}

func TestNotable(t *testing.T) {
	got := notable([]bundle.Missing{{State: bundle.Absent}, {State: bundle.Failed}, {State: bundle.Skipped}})
	if len(got) != 2 {
		t.Errorf("got %+v", got)
	}
	var w strings.Builder
	many := make([]bundle.Missing, 30)
	for i := range many {
		many[i] = bundle.Missing{Collector: "c", Name: "n", State: bundle.Failed, Reason: strings.Repeat("x", 300)}
	}
	if err := missing(&w, many); err != nil || !strings.Contains(w.String(), "and 10 more") || strings.Contains(w.String(), strings.Repeat("x", 101)) {
		t.Errorf("%v\n%s", err, w.String())
	}
}

func TestRankPutsLogsLast(t *testing.T) {
	for p, want := range map[string]int{"a/app.conf": 0, "app.yaml": 0, "app.log": 1, "syslog.1": 1, "syslog.2.gz": 1, "noending": 0} {
		if rank(p) != want {
			t.Errorf("rank(%s) = %d", p, rank(p))
		}
	}
}
