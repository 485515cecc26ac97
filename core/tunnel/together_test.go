package tunnel

import (
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// The spare is dialled before the relay has welcomed the system.
func TestSpareTogether(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		link := f.next(f.links)
		spare := f.next(f.carry) // while there is no welcome yet
		link.Next()
		// What it carries waits for the session to be open.
		spare.say(&msg.Start{Connection: "con-00000001"})
		synctest.Wait()
		if len(f.served) > 0 || len(f.states) > 0 {
			t.Fatal("an engineer is served before the session is open")
		}
		link.say(&msg.Welcome{V: 1})
		if c := <-f.served; c.start.Connection != "con-00000001" {
			t.Errorf("start %+v", c.start)
		}
		if s := <-f.states; s.Kind != Up {
			t.Errorf("state %+v", s)
		}
		f.next(f.carry) // the next spare
	}, together)
	// A relay that never welcomes does not get in by the spare.
	run(t, func(t *testing.T, f *fake) {
		f.next(f.links).Next()
		f.next(f.carry).say(&msg.Start{Connection: "con-00000001"})
		f.state(Down)
		time.Sleep(time.Minute)
		if len(f.served) > 0 {
			t.Error("an engineer is served although the session is not open")
		}
	}, together)
	// Where there is one connection only, the control stream has it.
	for _, change := range []func(*Options){together, func(*Options) {}} {
		run(t, func(t *testing.T, f *fake) {
			f.mu.Lock()
			f.refuse = func(path string, q url.Values) error {
				if path == msg.PathCarry {
					return errProxy
				}
				return nil
			}
			f.mu.Unlock()
			f.link()
			f.state(Up)
		}, change)
	}
}

func together(o *Options) { o.Together = true }
