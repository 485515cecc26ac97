package tunnel

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// Connections are made while the beginning of the session is written down, and
// nothing is sent on them before.
func TestNothingIsSentBeforeItHasBegun(t *testing.T) {
	var begun chan error
	later := hello
	later.Case = "known by then"
	waits := func(o *Options) {
		begun = make(chan error, 1) // of the bubble
		o.Together, o.Session = true, msg.Hello{}
		o.Begun = func(ctx context.Context) (msg.Hello, error) {
			select {
			case err := <-begun:
				return later, err
			case <-ctx.Done():
				return msg.Hello{}, ctx.Err()
			}
		}
	}
	run(t, func(t *testing.T, f *fake) {
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := f.dialled(); n != 2 || len(f.links) > 0 || len(f.carry) > 0 {
			t.Fatalf("%d connections, and %d and %d requests", n, len(f.links), len(f.carry))
		}
		begun <- nil
		m, err := f.next(f.links).Next()
		if h, ok := m.(*msg.Hello); !ok || h.Case != later.Case {
			t.Fatalf("%+v, %v", m, err)
		}
		f.next(f.carry)
	}, waits)

	full := errors.New("the disk is full")
	run(t, func(t *testing.T, f *fake) {
		begun <- full
		f.ended = true
		if err := <-f.done; !errors.Is(err, full) {
			t.Errorf("Run = %v", err)
		}
		if len(f.links) > 0 || len(f.carry) > 0 {
			t.Error("something was sent all the same")
		}
	}, waits)

	// It ends while it is waited for.
	run(t, func(t *testing.T, f *fake) {
		synctest.Wait()
		f.cancel(errors.New("it could not be written down"))
		f.ended = true
		if err := <-f.done; err != nil {
			t.Errorf("Run = %v", err)
		}
		if len(f.links) > 0 || len(f.carry) > 0 {
			t.Error("something was sent all the same")
		}
	}, waits)
}
