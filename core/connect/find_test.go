package connect

import (
	"errors"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/relay/api"
)

// A hostile relay answers for the id that the engineer typed, with a name that
// would become a line of his ssh configuration, a file elsewhere, or an escape
// sequence on his terminal.
func TestNamesOfAHostileRelay(t *testing.T) {
	const id = "sys-0123456789abcdef"
	for _, name := range []string{"", "x\n    ProxyCommand touch /tmp/pwned", "../../.bashrc", "*", "a b", "x\x1b]0;y", "!x", "x" + strings.Repeat("y", 63)} {
		s, err := pick([]api.System{{ID: id, Name: name}}, "relay", id)
		var unknown *UnknownError
		if !errors.As(err, &unknown) || s.ID != "" || len(unknown.Near) > 0 {
			t.Errorf("%q was taken: %+v, %v", name, s, err)
		}
	}
	for _, bad := range []string{"", "../x", "a\nb"} {
		if _, err := pick([]api.System{{ID: bad, Name: "array-7"}}, "relay", "array-7"); err == nil {
			t.Errorf("the id %q was taken", bad)
		}
	}
}
