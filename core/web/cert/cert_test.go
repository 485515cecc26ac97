package cert

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestMadeOnFirstUseAndRenewed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "web")
	s := Open(dir, []string{"sa.example.com", "192.0.2.1"})
	one, err := s.Get(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Leaf.VerifyHostname("sa.example.com"); err != nil {
		t.Error(err)
	}
	if err := one.Leaf.VerifyHostname("192.0.2.1"); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(s.Path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if print, err := s.Fingerprint(); err != nil || len(print) != len("SHA256:")+44 {
		t.Errorf("%s, %v", print, err)
	}
	again, err := Open(dir, nil).Get(nil)
	if err != nil || !again.Leaf.Equal(one.Leaf) {
		t.Errorf("another start makes another certificate: %v", err)
	}
	s.now = func() time.Time { return one.Leaf.NotAfter.Add(-renewal + time.Second) }
	two, err := s.Get(nil)
	if err != nil || two.Leaf.Equal(one.Leaf) {
		t.Errorf("not renewed: %v", err)
	}
}

// REQ D4, D5
func TestFileOfSomebodyElse(t *testing.T) {
	dir := t.TempDir()
	own := Open(filepath.Join(dir, "a"), []string{"a.example.com"})
	if _, err := own.Get(nil); err != nil {
		t.Fatal(err)
	}
	s := Open(filepath.Join(dir, "b"), nil)
	first, err := s.Get(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(own.Path())
	if err != nil {
		t.Fatal(err)
	}
	// It counts without a restart.
	if err := os.WriteFile(s.Path(), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(s.Path(), time.Now(), time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	second, err := s.Get(&tls.ClientHelloInfo{})
	if err != nil || second.Leaf.Equal(first.Leaf) || second.Leaf.VerifyHostname("a.example.com") != nil {
		t.Errorf("the new file does not count: %v", err)
	}
	// One that is broken, or that others can read, does not take the place.
	for name, f := range map[string]func() error{
		"broken":   func() error { return os.WriteFile(s.Path(), []byte("nonsense"), 0o600) },
		"readable": func() error { return os.Chmod(s.Path(), 0o644) },
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
		if c, err := s.Get(nil); err != nil || !c.Leaf.Equal(second.Leaf) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Open(filepath.Dir(s.Path()), nil).Get(nil); err == nil {
			t.Errorf("%s: it is served after a restart", name)
		}
	}
}
