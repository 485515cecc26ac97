package sanitize

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// dumps writes data as xxd, hexdump -C and od do.
func dumps(data string) map[string]string {
	out := map[string]string{}
	out["hexdump -C"] = hex.Dump([]byte(data))
	var xxd, od strings.Builder
	for at := 0; at < len(data); at += 16 {
		line := data[at:min(at+16, len(data))]
		text := strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, line)
		var words, bytes strings.Builder
		for i := range len(line) {
			fmt.Fprintf(&words, "%02x", line[i])
			if i%2 == 1 {
				words.WriteByte(' ')
			}
			fmt.Fprintf(&bytes, " %02x", line[i])
		}
		fmt.Fprintf(&xxd, "%08x: %-40s %s\n", at, strings.TrimRight(words.String(), " "), text)
		fmt.Fprintf(&od, "%06x%-48s  >%s<\n", at, bytes.String(), text)
	}
	out["xxd"], out["od"] = xxd.String(), od.String()
	return out
}

// What is hidden in the text column of a dump must not be left in hex beside it,
// whole or in parts, and a secret over two lines is still one.
func TestHexDumps(t *testing.T) {
	s := plain(t)
	const secret = "Sommer2o19x"
	for _, before := range []string{"", "x", "four", "0123456789", "GET / HTTP/1.1\r\nHost: a\r\n"} {
		text := before + "user=app\npassword=" + secret + "\nmode=fast and the rest of it\n"
		for name, in := range dumps(text) {
			if !strings.Contains(strings.ReplaceAll(in, "\n", ""), "pass") {
				continue // the name itself is cut
			}
			out := sanitizeText(t, s, "dump.txt", in)
			for i := 0; i+4 <= len(secret); i++ {
				part := []byte(secret[i : i+4])
				for _, form := range []string{string(part), hex.EncodeToString(part), fmt.Sprintf("% x", part), hex.EncodeToString(part[:2]) + " " + hex.EncodeToString(part[2:])} {
					if strings.Contains(out, form) {
						t.Errorf("%s, %d bytes before: %q survives in\n%s", name, len(before), form, out)
					}
				}
			}
			if !strings.Contains(out, "rest") && !strings.Contains(out, "74 68 65") && !strings.Contains(out, "7468 65") {
				t.Errorf("%s: hid too much:\n%s", name, out)
			}
			if again := sanitizeText(t, s, "dump.txt", out); again != out {
				t.Errorf("%s: twice is not once:\n%s\n%s", name, out, again)
			}
		}
	}
}

// Lines that only begin like a dump stay.
func TestNoHexDump(t *testing.T) {
	s := plain(t)
	in := "00000010: ffff ffff ffff  password=....\n2024  01 02 03  password is wrong\n0000  de ad be ef  token\n"
	if out := sanitizeText(t, s, "dump.txt", in); out != in {
		t.Errorf("changed to\n%s", out)
	}
}
