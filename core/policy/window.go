package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A window is a part of the week, in a time zone, in which sessions may be
// open. One that ends before it begins runs over midnight.
type window struct {
	name     string
	days     [7]bool // by time.Weekday of the day on which it begins
	from, to int     // minutes from midnight; to may be 1440
	zone     *time.Location
}

// A windowSet holds the windows of one file: any of them will do. The sets of
// several files must all be open.
type windowSet []window

var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// end returns when the window that is open at t closes, or the zero time when
// it is closed. Clock times mean the clock on the wall: on the day of a change
// to summer time a window is an hour shorter.
func (w *window) end(t time.Time) time.Time {
	local := t.In(w.zone)
	y, m, d := local.Date()
	for _, back := range [2]int{0, 1} { // it may have begun yesterday
		from := time.Date(y, m, d-back, 0, w.from, 0, 0, w.zone)
		to := time.Date(y, m, d-back, 0, w.to, 0, 0, w.zone)
		if w.to <= w.from {
			to = time.Date(y, m, d-back+1, 0, w.to, 0, 0, w.zone)
		}
		day := time.Date(y, m, d-back, 12, 0, 0, 0, w.zone).Weekday()
		if w.days[day] && !t.Before(from) && t.Before(to) {
			return to
		}
	}
	return time.Time{}
}

// end returns when the last of the windows that follow each other without a
// gap closes: the zero time when none is open at t, and forever when they
// cover the whole week.
func (s windowSet) end(t time.Time) time.Time {
	var last time.Time
	for at := t; ; {
		next := time.Time{}
		for i := range s {
			if e := s[i].end(at); e.After(next) {
				next = e
			}
		}
		if next.IsZero() {
			return last
		}
		last, at = next, next
		if last.Sub(t) > 8*24*time.Hour {
			return forever
		}
	}
}

// A schedule is the windows of all files. Windows begin and end with a minute,
// so the answer is kept for as long as the minute lasts.
type schedule struct {
	sets []windowSet
	last atomic.Pointer[openAt]
}

type openAt struct {
	minute int64
	end    time.Time
}

// newSchedule drops sets that say the same, and orders the rest.
func newSchedule(sets []windowSet) *schedule {
	sets = slices.Clone(sets)
	slices.SortFunc(sets, func(a, b windowSet) int { return cmp.Compare(a.String(), b.String()) })
	sets = slices.CompactFunc(sets, func(a, b windowSet) bool { return a.String() == b.String() })
	return &schedule{sets: sets}
}

// end returns when the first of the sets closes: the zero time when one of
// them is closed at t.
func (s *schedule) end(t time.Time) time.Time {
	minute := t.Unix() / 60
	if last := s.last.Load(); last != nil && last.minute == minute {
		return last.end
	}
	at := time.Unix(minute*60, 0)
	end := forever
	for _, set := range s.sets {
		e := set.end(at)
		if e.IsZero() {
			end = e
			break
		}
		if e.Before(end) {
			end = e
		}
	}
	s.last.Store(&openAt{minute, end})
	return end
}

// nextOpen finds when all sets will be open, within two weeks. That is always
// the beginning of one of the windows.
func (s *schedule) nextOpen(now time.Time) (next time.Time) {
	for _, set := range s.sets {
		for i := range set {
			w := &set[i]
			y, m, d := now.In(w.zone).Date()
			for day := -1; day <= 14; day++ {
				from := time.Date(y, m, d+day, 0, w.from, 0, 0, w.zone)
				if from.After(now) && (next.IsZero() || from.Before(next)) && s.isOpen(from) {
					next = from
					break
				}
			}
		}
	}
	return next
}

func (s *schedule) isOpen(t time.Time) bool {
	return !slices.ContainsFunc(s.sets, func(set windowSet) bool { return !set.isOpen(t) })
}

func (s windowSet) isOpen(t time.Time) bool {
	return slices.ContainsFunc(s, func(w window) bool { return !w.end(t).IsZero() })
}

// forever is the end of windows that never close.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *window) String() string {
	return fmt.Sprintf("%s %s-%s %s", formatDays(w.days), clock(w.from), clock(w.to), w.zone)
}

func clock(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

// formatDays writes runs as mon-fri, beginning the week on Monday.
func formatDays(days [7]bool) string {
	var parts []string
	for i := 0; i < 7; i++ {
		if !days[(i+1)%7] {
			continue
		}
		j := i
		for j+1 < 7 && days[(j+2)%7] {
			j++
		}
		switch {
		case j-i >= 2:
			parts = append(parts, dayNames[(i+1)%7]+"-"+dayNames[(j+1)%7])
			i = j
		default:
			parts = append(parts, dayNames[(i+1)%7])
		}
	}
	return strings.Join(parts, ",")
}

func (s windowSet) String() string {
	texts := make([]string, len(s))
	for i := range s {
		texts[i] = s[i].String()
	}
	slices.Sort(texts)
	return strings.Join(texts, " or ")
}

func (s *schedule) String() string {
	texts := make([]string, len(s.sets))
	for i := range s.sets {
		texts[i] = s.sets[i].String()
	}
	return strings.Join(texts, " and ")
}

// parseClock reads "08:00" to "24:00" into minutes.
func parseClock(s string) (int, error) {
	if s == "24:00" {
		return 1440, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != 5 {
		return 0, fmt.Errorf(`%q is no time of day; write it like "08:00" or "17:30"`, s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// parseDays reads items such as "mon", "mon-fri" and "daily".
func parseDays(items []string) (days [7]bool, err error) {
	index := func(s string) int {
		for i, n := range dayNames {
			if n == s {
				return i
			}
		}
		return -1
	}
	for _, it := range items {
		lower := strings.ToLower(it)
		if lower == "daily" {
			return [7]bool{true, true, true, true, true, true, true}, nil
		}
		first, last, isRange := strings.Cut(lower, "-")
		if !isRange {
			last = first
		}
		i, j := index(first), index(last)
		if i < 0 || j < 0 {
			return days, fmt.Errorf(`%q is no day; write "mon", "mon-fri" or "daily"`, it)
		}
		for ; ; i = (i + 1) % 7 {
			days[i] = true
			if i == j {
				break
			}
		}
	}
	return days, nil
}
