package trust

import (
	"fmt"
	"net/http"
	"time"
)

// MaxSkew is how far clocks may be apart: what is signed carries times.
const MaxSkew = time.Minute

// SkewError says that a clock is too far off.
type SkewError struct{ Ahead time.Duration } // of the far end

func (e *SkewError) Error() string {
	direction, d := "behind", e.Ahead
	if d < 0 {
		direction, d = "ahead of", -d
	}
	return fmt.Sprintf("this machine's clock is %s %s the other's", d.Round(time.Second), direction)
}

// Clocks compares the time of an answer, which has whole seconds, with now. ok
// is false when the answer does not say.
func Clocks(h http.Header, now time.Time) (ahead time.Duration, ok bool, err error) {
	then, perr := http.ParseTime(h.Get("Date"))
	if perr != nil {
		return 0, false, nil
	}
	ahead = then.Sub(now)
	if ahead.Abs() > MaxSkew {
		err = &SkewError{ahead}
	}
	return ahead, true, err
}
