package shell

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestEscapes(t *testing.T) {
	tests := []struct {
		typed, want string
		ended       bool
		help        int
	}{
		{typed: "ls -l\r", want: "ls -l\r"},
		{typed: "~.", want: "", ended: true},
		{typed: "a\r~.b", want: "a\r", ended: true},
		{typed: "a\n~.", want: "a\n", ended: true},
		{typed: "a~.\r", want: "a~.\r"},
		{typed: "~~.\r", want: "~.\r"},
		{typed: "~/x\r", want: "~/x\r"},
		{typed: "~\r~.", want: "~\r", ended: true},
		{typed: "~?ls\r", want: "ls\r", help: 1},
		{typed: "x\r~?~?~.", want: "x\r", help: 2, ended: true},
	}
	for _, tt := range tests {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(tt.typed), "by character": iotest.OneByteReader(strings.NewReader(tt.typed))} {
			ended, help := false, 0
			got, err := io.ReadAll(newEscapes(r, func() { ended = true }, func(string) { help++ }))
			if err != nil || string(got) != tt.want || ended != tt.ended || help != tt.help {
				t.Errorf("%q %s: %q, ended %v, help %d, %v", tt.typed, name, got, ended, help, err)
			}
		}
	}
}
