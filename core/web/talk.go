package web

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// talk is a login under way: the agent's side waits in it while the browser
// comes and goes.
type talk struct {
	method  string
	cancel  context.CancelFunc
	over    chan struct{}
	replies chan map[string][]byte

	mu     sync.Mutex
	change chan struct{} // closed at each change
	shown  []control.Notice
	asks   []control.Field
	turn   int // how often was asked
	done   bool
	taken  bool // its end was told
	ticket control.Ticket
	err    error
	began  time.Time
}

// maxShown bounds what a method shows.
const maxShown = 50

var errLeft = errors.New("the user gave up")

// begin starts a login. It goes on when the request that began it is over.
func (s *Server) begin(b *session, by control.Caller, r control.LoginRequest) *talk {
	ctx, cancel := context.WithCancel(context.Background())
	t := &talk{method: r.Method, cancel: cancel, over: make(chan struct{}), replies: make(chan map[string][]byte), change: make(chan struct{}), began: s.opts.Now()}
	b.mu.Lock()
	b.talk = t
	b.mu.Unlock()
	go func() {
		defer close(t.over)
		defer cancel()
		ticket, err := s.api.Login(ctx, by, r, t)
		t.update(func() { t.done, t.ticket, t.err, t.asks = true, ticket, err, nil })
	}()
	return t
}

// stop ends a login that is under way, and waits until it is settled.
func (t *talk) stop() {
	t.cancel()
	select {
	case <-t.over:
	case <-time.After(10 * time.Second):
	}
}

func (t *talk) update(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
	close(t.change)
	t.change = make(chan struct{})
}

// Show implements [control.Conversation].
func (t *talk) Show(_ context.Context, n control.Notice) error {
	t.update(func() {
		if len(t.shown) < maxShown {
			t.shown = append(t.shown, n)
		}
	})
	return nil
}

// Ask implements [control.Conversation].
func (t *talk) Ask(ctx context.Context, fields []control.Field) (map[string][]byte, error) {
	t.update(func() { t.asks = fields; t.turn++ })
	select {
	case a := <-t.replies:
		return a, nil
	case <-ctx.Done():
		return nil, errLeft
	}
}

// answer gives what was asked for, and reports whether anything was.
func (t *talk) answer(ctx context.Context, values map[string][]byte) bool {
	t.mu.Lock()
	asked, turn := t.asks != nil, t.turn
	t.mu.Unlock()
	if !asked {
		return false
	}
	select {
	case t.replies <- values:
		// Whoever looks now does not take what was answered for a new question.
		t.update(func() {
			if t.turn == turn {
				t.asks = nil
			}
		})
		return true
	case <-t.over:
	case <-ctx.Done():
	}
	return false
}

// look is a talk at one moment.
type look struct {
	Method string
	Shown  []control.Notice
	Asks   []control.Field
	Turn   int
	Done   bool
	Err    error
	Ticket control.Ticket
}

func (t *talk) look() (look, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return look{t.method, slices.Clone(t.shown), slices.Clone(t.asks), t.turn, t.done, t.err, t.ticket}, t.change
}

// settle waits until the login is over, asks, or shows something and goes on
// working; for no longer than most.
func (t *talk) settle(ctx context.Context, most time.Duration) look {
	limit := time.NewTimer(most)
	defer limit.Stop()
	first, _ := t.look()
	for {
		l, changed := t.look()
		if l.Done || l.Asks != nil {
			return l
		}
		var soon <-chan time.Time
		if len(l.Shown) > len(first.Shown) {
			soon = time.After(300 * time.Millisecond) // it waits for somebody else
		}
		select {
		case <-changed:
		case <-soon:
			return l
		case <-limit.C:
			return l
		case <-ctx.Done():
			return l
		}
	}
}
