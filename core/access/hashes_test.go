package access

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A hash that is remembered is never that of other bytes.
func TestHashes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	var h hashes
	check := func(content string) {
		t.Helper()
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got, err := h.of(f, int64(len(content)))
		if want := sha256.Sum256([]byte(content)); err != nil || got != hex.EncodeToString(want[:]) {
			t.Errorf("of %q: %s, %v", content, got, err)
		}
	}
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	check("first")
	if h.sum != "" {
		t.Error("the hash of a file that was changed just now is remembered")
	}
	for i := range 200 { // within a tick of the clock, of the same size
		content := string(rune('a'+i%26)) + "same"
		write(content)
		check(content)
	}
	time.Sleep(2 * settled)
	check(string(rune('a'+199%26)) + "same")
	if h.sum == "" {
		t.Error("the hash of a file that is left alone is not remembered")
	}
	old := h.sum
	check(string(rune('a'+199%26)) + "same")
	write("other")
	check("other")
	if h.sum != old {
		t.Error("remembered too early")
	}
	// Times set back do not deceive it.
	if err := os.Chtimes(name, time.Now(), time.Unix(h.file.mtime.Unix())); err != nil {
		t.Fatal(err)
	}
	check("other")
}
