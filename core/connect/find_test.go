package connect

import (
	"errors"
	"fmt"
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

// REQ B12: a serial number finds the one system that has it, a name comes first.
func TestPickBySerialNumber(t *testing.T) {
	id := func(n int) string { return fmt.Sprintf("sys-%016x", n) }
	list := []api.System{{ID: id(1), Name: "array-7", Serial: "4242"}, {ID: id(2), Name: "array-8", Serial: "5000"}, {ID: id(3), Name: "array-9", Serial: "5000"}, {ID: id(4), Name: "6000", Serial: "1"}, {ID: id(5), Name: "array-1", Serial: "6000"}}
	for q, want := range map[string]string{"4242": "array-7", "6000": "6000", "array-8": "array-8"} {
		if s, err := pick(list, "relay", q); err != nil || s.Name != want {
			t.Errorf("%s: %s, %v", q, s.Name, err)
		}
	}
	if s, err := pick(list, "relay", "5000"); err == nil || !strings.Contains(err.Error(), "2 systems") {
		t.Errorf("a number of two: %v, %v", s, err)
	}
}
