package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/clock"
	"github.com/latchstring/latchstring/core/durable"
)

// state is what is on disk.
type state struct {
	Version    int               `json:"v"`
	Attempts   map[string]*tally `json:"attempts,omitempty"` // by who waits
	Challenges []*challenge      `json:"challenges,omitempty"`
	Tickets    []*Ticket         `json:"tickets,omitempty"`
	Consents   []*consent        `json:"consents,omitempty"`
}

// store keeps the state in a directory.
type store struct {
	dir   string
	clock clock.Clock
}

// maxState is far more than the bounds on its parts let it become.
const maxState = 4 << 20

// update gives f the state to read and to change. What f has changed is on disk
// when update returns, whether or not f returned an error.
func (s *store) update(f func(st *state, now moment) error) (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of logins: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("lock logins: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock logins: %w", err)
	}
	path := filepath.Join(s.dir, "state.json")
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read logins: %w", err)
	}
	st, err := parseState(before)
	if err != nil {
		return fmt.Errorf("read logins: %s: %w; root may remove it, which ends all logins and challenges", path, err)
	}
	since, boot, err := s.clock.Boot()
	if err != nil {
		return err
	}
	now := moment{boot, since}
	st.tidy(now)
	failed := f(st, now)
	after, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("encode logins: %w", err)
	}
	if string(after) != string(before) {
		if err := durable.WriteFile(path, after); err != nil {
			return fmt.Errorf("write logins: %w", err)
		}
	}
	return failed
}

func parseState(b []byte) (*state, error) {
	st := &state{Version: 1}
	if len(b) > maxState {
		return nil, fmt.Errorf("it has %d bytes", len(b))
	}
	if len(b) > 0 {
		if err := json.Unmarshal(b, st); err != nil {
			return nil, fmt.Errorf("it is damaged: %w", err)
		}
	}
	if st.Version != 1 {
		return nil, fmt.Errorf("version %d; this program reads version 1", st.Version)
	}
	if st.Attempts == nil {
		st.Attempts = map[string]*tally{}
	}
	for _, t := range st.Attempts {
		if t == nil {
			return nil, errors.New("it is damaged")
		}
	}
	for _, c := range st.Challenges {
		if c == nil || !c.sane() {
			return nil, errors.New("it is damaged")
		}
	}
	for _, t := range st.Tickets {
		if t == nil {
			return nil, errors.New("it is damaged")
		}
	}
	for _, c := range st.Consents {
		if c == nil {
			return nil, errors.New("it is damaged")
		}
	}
	return st, nil
}

// tidy drops what is over.
func (st *state) tidy(now moment) {
	for who, t := range st.Attempts {
		if t.forgotten(now) {
			delete(st.Attempts, who)
		}
	}
	st.Challenges = filter(st.Challenges, func(c *challenge) bool { return c.left(now) > 0 })
	st.Tickets = filter(st.Tickets, func(t *Ticket) bool { return t.left(now) > 0 })
	st.Consents = filter(st.Consents, func(c *consent) bool { return c.left(now) > 0 })
}

func filter[T any](list []T, keep func(T) bool) []T {
	var out []T
	for _, v := range list {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}
