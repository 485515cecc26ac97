package latchstring

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/handshake/through"
)

// wrongNames are names of algorithms that do not exist, or that promise what they
// do not do: keys of AES have 128, 192 or 256 bits, and a hash encrypts nothing.
var wrongNames = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(512|1024|2048|4096)[- ]?bit[s]? AES|AES[- ](512|1024|2048|4096)`),
	regexp.MustCompile(`(?i)encrypt(s|ed|ion)? (with|by|using) (SHA|MD5|bcrypt|scrypt)`),
	regexp.MustCompile(`(?i)(military|bank)[- ]grade`),
}

// What is said of algorithms is true: in the documentation, in the texts of the
// commands and on the pages; and what a session is sealed with is documented under
// the name that goes over the wire. REQ K2
func TestAlgorithmsHaveTheirNames(t *testing.T) {
	looked := 0
	walk(t, ".", func(path string) {
		switch filepath.Ext(path) {
		case ".md", ".html", ".txtar":
		case ".go":
			if path == "names_test.go" || !strings.HasPrefix(path, "cmd/") && !strings.HasPrefix(path, "core/") && !strings.HasPrefix(path, "plugins/") {
				return
			}
		default:
			return
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		looked++
		for _, wrong := range wrongNames {
			if m := wrong.Find(b); m != nil {
				t.Errorf("%s says %q, which is the name of nothing", path, m)
			}
		}
	})
	if looked < 500 {
		t.Errorf("only %d files were looked at", looked)
	}
	formats, err := os.ReadFile("docs/FORMATS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, suite := range []through.Suite{through.AEGIS128L, through.AES128GCM, through.ChaCha20Poly1305} {
		if !strings.Contains(string(formats), "`"+string(suite)+"`") {
			t.Errorf("docs/FORMATS.md does not name %s", suite)
		}
	}
}
