package sealed

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/latchstring/latchstring/core/paths"
)

func store(t *testing.T) *Store {
	t.Helper()
	root, err := paths.New(t.TempDir())
	if err == nil {
		err = root.Make()
	}
	if err != nil {
		t.Fatal(err)
	}
	return Open(root)
}

func put(t *testing.T, s *Store, proxy, user, password string) {
	t.Helper()
	if err := s.Put(proxy, user, []byte(password)); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	s := store(t)
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Errorf("fresh: %v, %v", all, err)
	}
	if had, err := s.Forget("https://p:1"); had || err != nil {
		t.Errorf("forget what is not there: %v, %v", had, err)
	}
	put(t, s, "https://p:1", "ada", "c4n4ry-one")
	put(t, s, "socks5://q:2", "bob", "c4n4ry-two")
	put(t, s, "https://p:1", "eve", "c4n4ry-three")
	all, err := s.List()
	want := []Entry{{Proxy: "https://p:1", User: "eve"}, {Proxy: "socks5://q:2", User: "bob"}}
	if diff := cmp.Diff(want, all, cmpopts.IgnoreFields(Entry{}, "Since")); err != nil || diff != "" {
		t.Error(err, diff)
	}
	user, password, found, err := s.Login("https://p:1")
	if user != "eve" || string(password) != "c4n4ry-three" || !found || err != nil {
		t.Errorf("login: %s %s %v %v", user, password, found, err)
	}
	if _, _, found, err = s.Login("https://other:1"); found || err != nil {
		t.Errorf("another proxy: %v, %v", found, err)
	}
	if had, err := s.Forget("https://p:1"); !had || err != nil {
		t.Errorf("forget: %v, %v", had, err)
	}
	if _, _, found, _ = s.Login("https://p:1"); found {
		t.Error("it is not forgotten")
	}
	if err := s.Put("https://p:1", "", []byte("x")); err == nil {
		t.Error("a login without a user was kept")
	}
}

// REQ B3: nothing is to be read in the files, and nobody else may read them.
func TestAtRest(t *testing.T) {
	s := store(t)
	put(t, s, "https://p:1", "ada", "c4n4ry-one")
	for _, path := range []string{s.path, s.key} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		info, _ := os.Stat(path)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if bytes.Contains(b, []byte("c4n4ry")) || bytes.Contains(b, []byte("ada")) || bytes.Contains(b, []byte("YzRuNHJ5")) {
			t.Errorf("%s can be read", path)
		}
	}
}

// What was changed, cut, or brought from elsewhere does not open, and is not
// written over.
func TestDamaged(t *testing.T) {
	for name, harm := range map[string]func(s, other *Store) error{
		"a byte":        func(s, _ *Store) error { return flip(s.path) },
		"cut":           func(s, _ *Store) error { return os.Truncate(s.path, 40) },
		"empty":         func(s, _ *Store) error { return os.Truncate(s.path, 0) },
		"no key":        func(s, _ *Store) error { return os.Remove(s.key) },
		"short key":     func(s, _ *Store) error { return os.Truncate(s.key, 5) },
		"another's":     func(s, o *Store) error { return os.Rename(o.path, s.path) },
		"another's key": func(s, o *Store) error { return os.Rename(o.key, s.key) },
	} {
		t.Run(name, func(t *testing.T) {
			s, other := store(t), store(t)
			put(t, s, "https://p:1", "ada", "c4n4ry-one")
			put(t, other, "https://p:1", "eve", "c4n4ry-two")
			if err := harm(s, other); err != nil {
				t.Fatal(err)
			}
			_, password, found, err := s.Login("https://p:1")
			if err == nil || found || password != nil || !strings.Contains(err.Error(), "remove the file") {
				t.Errorf("opened: %v, %v", found, err)
			}
			if err := s.Put("https://q:1", "ada", []byte("x")); err == nil {
				t.Error("a damaged file was written over")
			}
		})
	}
}

func flip(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b[len(b)-20] ^= 1
	return os.WriteFile(path, b, 0o600)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(header))
	f.Add([]byte(header + strings.Repeat("x", 60)))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := store(t)
		put(t, s, "https://p:1", "ada", "x")
		if err := os.WriteFile(s.path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.List(); err == nil {
			t.Error("it opened")
		}
	})
}
