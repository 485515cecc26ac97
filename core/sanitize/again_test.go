package sanitize

import (
	"bytes"
	"strings"
	"testing"
)

// Cleaning a finished member once more takes out what became known since, and
// leaves every pseudonym as it is.
func TestAgain(t *testing.T) {
	key := Key{7}
	s, err := New(Options{Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	run := func(in string, f File) string {
		t.Helper()
		var out bytes.Buffer
		if _, err := s.Copy(t.Context(), &out, strings.NewReader(in), f); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	once := run("peer 10.20.30.40 mac 52:54:00:12:34:56 host db7.corp.example\nword correct-horse-battery here\n", File{Name: "a.log"})
	if strings.Contains(once, "10.20.30.40") || !strings.Contains(once, "correct-horse-battery") {
		t.Fatalf("first pass: %q", once)
	}
	run("[db]\npassword = correct-horse-battery\n", File{Name: "db.ini", Learn: true})
	twice := run(once, File{Name: "a.log", Again: true})
	if strings.Contains(twice, "correct-horse-battery") {
		t.Errorf("the value that is known now is still there: %q", twice)
	}
	before, _, _ := strings.Cut(once, "\n")
	after, _, _ := strings.Cut(twice, "\n")
	if before != after {
		t.Errorf("the pseudonyms changed:\n%s\n%s", before, after)
	}
}
