package sanitize

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf16"
)

// Text in UTF-16 amid a log in ASCII is read as what it shows.
func TestUTF16Amid(t *testing.T) {
	var wide []byte
	for _, u := range utf16.Encode([]rune("user=bob password=hunter2prod mode=x\n")) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for _, lines := range []int{1, 3, 400} {
		in := append(bytes.Repeat([]byte("a plain line of a log in single bytes\n"), lines), wide...)
		in = append(in, "the end\n"...)
		out, res := copyFile(t, plain(t), File{Name: "app.log"}, in)
		if res.Omitted != "" {
			continue // left out is safe too
		}
		if s := strings.ReplaceAll(string(out), "\x00", ""); strings.Contains(s, "hunter2") || !strings.Contains(s, "user=bob") {
			t.Errorf("%d lines before: %q", lines, s[max(0, len(s)-120):])
		}
	}
}
