package ttyrec

import (
	"time"
	"unicode/utf8"
)

// Patience is how long a [Joiner] waits for the rest of a character.
const Patience = 50 * time.Millisecond

// Joiner keeps characters whole that arrive in pieces. What is no UTF-8 passes
// as it is, a little later.
type Joiner struct {
	held []byte // the first bytes of a character, at most three
	at   time.Time
}

// Add gives what is due at t when p arrives then: first what waited too long,
// with the time at which that was due, then p without a last part that begins
// a character. Either may be empty. They are valid until the next call.
func (j *Joiner) Add(t time.Time, p []byte) (late []byte, due time.Time, now []byte) {
	if len(j.held) > 0 && t.Sub(j.at) > Patience {
		late, due = j.held, j.at.Add(Patience)
		j.held = nil
	}
	if len(j.held) > 0 {
		p = append(j.held[:len(j.held):len(j.held)], p...)
		j.held = nil
	}
	n := incomplete(p)
	if n > 0 {
		j.held, j.at = append([]byte(nil), p[len(p)-n:]...), t
	}
	return late, due, p[:len(p)-n]
}

// Rest gives what is still held.
func (j *Joiner) Rest() []byte {
	p := j.held
	j.held = nil
	return p
}

// incomplete is how many bytes at the end of p begin a character that does not
// end there.
func incomplete(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		c := p[len(p)-n]
		if utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(p[len(p)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
