package until

import (
	"fmt"
	"strings"
	"time"
)

const (
	bound    = 30 * time.Second
	shortest = time.Millisecond      // soon there: most things take no longer
	longest  = 20 * time.Millisecond // that what lasts for a moment is still seen
)

// T is what fails: a test, a benchmark or a *testscript.TestScript. As with every
// Fatalf of theirs, the goroutine must be that of the test.
type T interface {
	Fatalf(format string, args ...any)
}

// True returns when f does return true. Else it says what it waited for, and
// shows what may explain it as that is then: a buffer with the output of a
// process, say.
func True(t T, what string, f func() bool, show ...any) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	if poll(f) {
		return
	}
	var shown strings.Builder
	for _, s := range show {
		fmt.Fprintf(&shown, "\n%v", s)
	}
	t.Fatalf("waited in vain until %s%s", what, &shown)
}

// OK returns when f does return no error. Else it says what it waited for, and
// the last error.
func OK(t T, what string, f func() error) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	var err error
	if poll(func() bool { err = f(); return err == nil }) {
		return
	}
	t.Fatalf("waited in vain until %s: %v", what, err)
}

// poll tells whether f returned true in time.
func poll(f func() bool) bool {
	start := time.Now()
	for !f() {
		passed := time.Since(start)
		if passed > bound {
			return false
		}
		time.Sleep(min(max(passed/8, shortest), longest))
	}
	return true
}
