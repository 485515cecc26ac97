package until

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// failed is a test that fails, without Helper as scripts are.
type failed struct{ says string }

func (f *failed) Fatalf(format string, args ...any) { f.says = fmt.Sprintf(format, args...) }

// It returns soon after what it waits for, and waits long for what is late.
func TestWaits(t *testing.T) {
	for _, late := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond, 29 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			True(t, "it is late enough", func() bool { return time.Since(start) >= late })
			if d := time.Since(start) - late; d > longest {
				t.Errorf("%v later than %v", d, late)
			}
			OK(t, "it is later still", func() error {
				if time.Since(start) < late+time.Second {
					return errors.New("it is early")
				}
				return nil
			})
		})
	}
}

func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failed
		var out bytes.Buffer
		start, looked := time.Now(), 0
		True(&f, "the cows come home", func() bool {
			if looked++; looked == 2 {
				out.WriteString("moo")
			}
			return false
		}, &out)
		if f.says != "waited in vain until the cows come home\nmoo" {
			t.Errorf("it says %q", f.says)
		}
		if d := time.Since(start); d < bound || d > bound+time.Second {
			t.Errorf("it gave up after %v", d)
		}
		OK(&f, "there is milk", func() error { return errors.New("no cows") })
		if f.says != "waited in vain until there is milk: no cows" {
			t.Errorf("it says %q", f.says)
		}
	})
}
