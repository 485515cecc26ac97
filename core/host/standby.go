package host

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/internal/wire"
)

const (
	// standbyLife is after how long a process that nobody took is replaced.
	standbyLife = 6 * time.Hour
	// standbyPause is how long nothing is tried after one that failed, unless
	// something is different: it must not use up the starts that whoever needs
	// the plugin has.
	standbyPause = time.Hour
)

// Standby keeps one transport ready: its process is started, confined and
// configured, and has nothing to do. Who takes it dials at once.
//
// A process that waits has been through all that any start goes through: its
// program was hashed, policy was asked, its start is in the audit log. When it
// is taken policy is asked again, and the files that it was judged by, and its
// settings, must look as they did; else it is ended, and a new one has to be
// started as if there had been none. That it crashes while it waits hurts
// nobody.
type Standby struct {
	host *Host

	mu     sync.Mutex
	keep   sync.Mutex // one Keep at a time
	ready  *waiting   // nil: none
	failed *waiting   // what could not be made ready, or did not stay
}

// waiting is a transport that is ready, or failed to be.
type waiting struct {
	name  string
	use   TransportUse // with settings
	epoch string
	print string
	since time.Time

	t      *Transport // nil when it failed
	plugin catalog.Plugin
	role   catalog.Role
}

// Standby makes a standby of the host's. It keeps nothing until Keep is called,
// and ends with the host.
func (h *Host) Standby() *Standby { return &Standby{host: h} }

// Keep makes the transport ready, unless it is. epoch stands for everything else
// that may change whether it starts, such as the policy in force. An error is
// returned once; the same is not tried again for an hour.
func (s *Standby) Keep(ctx context.Context, name string, use TransportUse, epoch string) error {
	s.keep.Lock()
	defer s.keep.Unlock()
	want, err := s.wanted(name, use, epoch)
	if err != nil {
		return err
	}
	if s.fits(want) {
		return nil
	}
	s.mu.Lock()
	old := s.ready
	s.ready = nil
	if old != nil && !old.alive() && old.same(want) { // it did not stay
		s.fell(old)
	}
	failed := s.failed
	s.mu.Unlock()
	old.end()
	if failed != nil && failed.same(want) && s.host.opt.clock.Now().Sub(failed.since) < standbyPause {
		return nil
	}
	err = s.start(ctx, want)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed = want
		return err
	}
	s.ready, s.failed = want, nil
	return nil
}

// fell remembers one that died; s.mu is held.
func (s *Standby) fell(w *waiting) {
	f := *w
	f.t, f.since = nil, s.host.opt.clock.Now()
	s.failed = &f
}

// wanted is how the transport looks now.
func (s *Standby) wanted(name string, use TransportUse, epoch string) (*waiting, error) {
	var err error
	w := &waiting{name: name, use: use, epoch: epoch, since: s.host.opt.clock.Now()}
	if w.use.Config, err = s.host.settingsOf(name, use.Config); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range []*waiting{s.ready, s.failed} {
		if known != nil && known.name == name {
			w.plugin = known.plugin // whose files are looked at
			w.print = s.host.print(w.plugin)
			return w, nil
		}
	}
	w.print = s.host.print(w.plugin)
	return w, nil
}

func (h *Host) print(p catalog.Plugin) string {
	return catalog.Print(h.opt.Root, h.opt.Plugins, p)
}

// fits reports whether what is ready is what is wanted.
func (s *Standby) fits(want *waiting) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.ready
	return r != nil && r.same(want) && r.alive() && s.host.opt.clock.Now().Sub(r.since) < standbyLife
}

// start starts a process and looks whether all is still as it was.
func (s *Standby) start(ctx context.Context, w *waiting) error {
	h := s.host
	var err error
	if w.plugin, w.role, err = h.find(ctx, wire.RoleTransport+"/"+w.name); err != nil {
		return err
	}
	w.print = h.print(w.plugin)
	// With the settings as they are; Transport would add them again.
	u, err := h.newUnit(wire.RoleTransport, w.name, w.use.Use)
	if err != nil {
		return err
	}
	w.t = &Transport{unit: u, name: w.name, use: w.use}
	info, err := w.t.Info(ctx)
	if err == nil && (info.SHA256 != w.plugin.SHA256 || h.print(w.plugin) != w.print) {
		err = errors.New("its files changed meanwhile")
	}
	if err != nil {
		w.t.Close()
		w.t = nil
		return fmt.Errorf("make transport %s ready: %w", w.name, err)
	}
	return nil
}

// Take gives the transport away if it is ready, and nil if not. Whoever has it
// closes it.
func (s *Standby) Take(name string, use TransportUse) *Transport {
	s.mu.Lock()
	r := s.ready
	s.ready = nil
	s.mu.Unlock()
	if r == nil {
		return nil
	}
	if !r.alive() {
		s.mu.Lock()
		s.fell(r)
		s.mu.Unlock()
	}
	var err error
	use.Config, err = s.host.settingsOf(name, use.Config)
	good := err == nil && r.name == name && reflect.DeepEqual(r.use, use) && r.alive() &&
		s.host.opt.clock.Now().Sub(r.since) < standbyLife && s.host.print(r.plugin) == r.print &&
		s.host.decide(r.plugin, r.role, use.Purpose).Allowed
	if !good {
		go r.end() // a plugin has some time to end by itself
		return nil
	}
	return r.t
}

// Drop ends what is ready.
func (s *Standby) Drop() {
	s.mu.Lock()
	r := s.ready
	s.ready = nil
	s.mu.Unlock()
	r.end()
}

// Ready reports whether there is something to take.
func (s *Standby) Ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ready != nil && s.ready.alive()
}

func (w *waiting) same(o *waiting) bool {
	return w.name == o.name && w.epoch == o.epoch && w.print == o.print && reflect.DeepEqual(w.use, o.use)
}

func (w *waiting) alive() bool {
	if w.t == nil {
		return false
	}
	w.t.mu.Lock()
	cur := w.t.cur
	w.t.mu.Unlock()
	return cur != nil && cur.usable()
}

func (w *waiting) end() {
	if w != nil && w.t != nil {
		w.t.Close()
	}
}
