package hardware

import (
	"slices"
	"time"
)

const (
	wellFor  = 2 * time.Minute // after which a failure is over
	wellMost = 6 * time.Hour   // of one that comes and goes
	forget   = 30 * day        // what was not seen for so long
)

// Gone is how a failure ended whose part is not there any more.
const Gone = "it is no longer there"

// News is a failure that is told, or its end.
type News struct {
	Failure
	ID    string
	Over  bool
	How   string // how it ended
	Again int    // how often it was told before within a day
}

// step compares a reading with what is known, and returns what is to be told. It
// changes the state; what is told is marked by [state.told] when it is recorded.
func (s *state) step(r Reading, now time.Time, boot string) []News {
	if s.Since.IsZero() {
		s.Since = now
	}
	booted := s.Boot != "" && boot != s.Boot
	s.Boot = boot
	there := s.remember(r.Parts, now, booted)
	faults := r.Faults
	for _, c := range r.Counts {
		if s.grown(c, now, booted) {
			f := c.Fault
			faults = append(faults, f)
		}
	}
	counts := map[string]bool{}
	for _, c := range r.Counts {
		counts[c.ID] = true
	}
	s.expire(now)
	var news []News
	current := map[string]bool{}
	for _, f := range faults {
		k := s.Faults[f.ID]
		if _, worked := s.Working[f.Part]; f.Lost && !worked && (k == nil || k.Told.IsZero()) {
			continue
		}
		current[f.ID] = true
		if k == nil {
			k = &Failure{Since: now}
			s.Faults[f.ID] = k
		} else if k.Told.IsZero() && !k.Well.IsZero() {
			k.Since = now // it has been told as over, and is here again
		}
		k.Part, k.Kind, k.Name, k.What, k.Level, k.Evidence, k.Count, k.After, k.Well = f.Part, f.Kind, f.Name, f.What, f.Level, f.Evidence, counts[f.ID], f.After, time.Time{}
		if k.Told.IsZero() && past(now, k.Since, f.After) {
			news = append(news, News{Failure: *k, ID: f.ID, Again: len(k.recent(now))})
		}
	}
	for id, k := range s.Faults {
		if current[id] {
			continue
		}
		if k.Told.IsZero() {
			if len(k.recent(now)) == 0 {
				delete(s.Faults, id)
			} else if k.Well.IsZero() {
				k.Well = now
			}
			continue
		}
		if k.Well.IsZero() || now.Before(k.Well) {
			k.Well = now
		}
		if !past(now, k.Well, k.patience(now)) {
			continue
		}
		how := "it is well again"
		switch {
		case !there[k.Part]:
			how = Gone
		case k.Count:
			how = "no further errors within a day"
		}
		news = append(news, News{Failure: *k, ID: id, Over: true, How: how})
	}
	slices.SortFunc(news, func(a, b News) int {
		if a.Over != b.Over {
			return map[bool]int{true: 1, false: -1}[a.Over]
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return news
}

// told marks what is recorded.
func (s *state) told(n News, now time.Time) {
	k := s.Faults[n.ID]
	if k == nil {
		return
	}
	k.Before = k.recent(now)
	if !n.Over {
		k.Told = now
		k.Before = append(k.Before, now)
		return
	}
	if k.Told = (time.Time{}); len(k.Before) == 0 {
		delete(s.Faults, n.ID)
	}
}

// recent is when it was told within the last day.
func (f *Failure) recent(now time.Time) []time.Time {
	var out []time.Time
	for _, t := range f.Before {
		if d := now.Sub(t); d < day && d > -day {
			out = append(out, t)
		}
	}
	return out[max(0, len(out)-16):]
}

// patience is how long it must be well to be over.
func (f *Failure) patience(now time.Time) time.Duration {
	d := wellFor
	for range max(1, len(f.recent(now))) - 1 {
		d = min(4*d, wellMost)
	}
	return d
}

// past reports whether something has lasted. A clock that was set back counts as
// if it had: nothing waits for ever.
func past(now, since time.Time, d time.Duration) bool {
	return now.Sub(since) >= d || now.Before(since)
}

// remember keeps which parts were seen to work, and returns which are there.
func (s *state) remember(parts []Part, now time.Time, booted bool) map[string]bool {
	there := map[string]bool{}
	for _, p := range parts {
		there[p.ID] = true
		if booted && p.Boot {
			delete(s.Working, p.ID)
		}
		if !p.Well {
			continue
		}
		if t, known := s.Working[p.ID]; !known || now.Sub(t) > day || now.Before(t) {
			s.Working[p.ID] = now
		}
	}
	return there
}

// grown reports whether a counter has grown so much that it is a failure, or has
// within the last day.
func (s *state) grown(c Count, now time.Time, booted bool) bool {
	k := s.Counts[c.ID]
	if k == nil {
		k = new(known)
		s.Counts[c.ID] = k
	}
	if k.Seen.IsZero() || c.Value < k.Last || booted { // it counts from zero
		k.Last, k.At = 0, now
		if c.Limit > 1 { // nobody knows in what time it came to this
			k.Last = c.Value
		}
		k.Anchor = k.Last
	}
	if now.Sub(k.Seen) > day || now.Before(k.Seen) {
		k.Seen = now
	}
	if c.Value > k.Last {
		if now.Sub(k.At) > c.Within || now.Before(k.At) {
			k.Anchor, k.At = k.Last, now
		}
		if c.Value-k.Anchor >= c.Limit {
			k.Bad, k.Anchor, k.At = now, c.Value, now
		}
		k.Last = c.Value
	}
	if now.Before(k.Bad) {
		k.Bad = now
	}
	return !k.Bad.IsZero() && now.Sub(k.Bad) < day
}

// expire forgets what was not there for long.
func (s *state) expire(now time.Time) {
	for id, t := range s.Working {
		if now.Sub(t) > forget {
			delete(s.Working, id)
		}
	}
	for id, k := range s.Counts {
		if now.Sub(k.Seen) > forget {
			delete(s.Counts, id)
		}
	}
}
