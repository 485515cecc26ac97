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

// A pseudonym is no secret, whatever word it stands behind.
func TestPseudonymsPassTheGate(t *testing.T) {
	for b := range 40 {
		key := Key{byte(b), 7}
		s, err := New(Options{Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		in := "passwd jdoe\nsudo passwd bertram\nSetting new password for carla\nusers:\n  - name: dora\npasswd: emil\n'frida'@'10.1.%'\nJan 12 06:25:43 web-17 sshd[2211]: Accepted password for gerd from 10.0.0.1 port 1 ssh2\n"
		out, _ := copyFile(t, s, File{Name: "history"}, []byte(in))
		hits, err := s.Check(t.Context(), bytes.NewReader(out), File{Name: "history"})
		if err != nil || len(hits) > 0 {
			t.Fatalf("key %d: %v, %v\n%s", b, hits, err, out)
		}
	}
}
