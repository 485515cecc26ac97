package access

import (
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Started under nohup, or in the background of a script, the agent ignores
// signals that programs of an engineer must hear.
func TestIgnoredSignals(t *testing.T) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT)
	defer signal.Reset(syscall.SIGHUP, syscall.SIGINT)
	s := newSite(t)
	out, errs, code := s.ssh("sa", "grep ^SigIgn: /proc/self/status")
	ignored, err := strconv.ParseUint(strings.TrimSpace(strings.TrimPrefix(out, "SigIgn:")), 16, 64)
	if code != 0 || err != nil {
		t.Fatalf("%q, %q, %d, %v", out, errs, code, err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if ignored&(1<<(sig-1)) != 0 {
			t.Errorf("%s is ignored by a program of the engineer: %x", sig, ignored)
		}
	}
}
