package tunnel

import (
	"fmt"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// A relay that uses up one spare after the other gets no more connections than
// one that asks for them: each could leave a line in the customer's audit log.
func TestSparesAreBoundInRate(t *testing.T) {
	run(t, func(t *testing.T, f *fake) {
		f.link().pings()
		began := time.Now()
		const many = 60
		for n := range many {
			spare := f.nextSpare()
			spare.say(&msg.Start{Connection: fmt.Sprintf("con-000000%02d", n), Engineer: "eve"})
			spare.Close()
		}
		if d, least := time.Since(began), (many-dialBurst-2)*dialEvery; d < least {
			t.Errorf("%d connections in %s, which should take %s", many, d, least)
		}
	})
}

// The same for streams of the one connection.
func TestStreamsAreBoundInRate(t *testing.T) {
	r := newRunner(Options{Session: hello})
	n := 0
	for range 1000 {
		if r.mayBegin() {
			n++
		}
	}
	if n > dialBurst+2 {
		t.Errorf("%d streams at once", n)
	}
}
