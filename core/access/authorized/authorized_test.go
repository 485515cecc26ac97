package authorized

import (
	"crypto/ed25519"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/access/account"
	"github.com/latchstring/latchstring/core/access/files"
)

func tree(t *testing.T) *files.Tree {
	t.Helper()
	me, err := account.Current()
	if err != nil {
		t.Fatal(err)
	}
	yes := func(string) error { return nil }
	tr, err := files.New(me, files.Judge{Upload: yes, Download: yes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func key(t *testing.T) ssh.PublicKey {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// REQ G10: lines of others stay byte-identical, also what is no line at all.
func TestOthersStayByteIdentical(t *testing.T) {
	tr := tree(t)
	for name, before := range map[string]string{
		"plain": "ssh-ed25519 AAAA me\n", "no end": "ssh-ed25519 AAAA me", "crlf": "# a\r\nssh-rsa AAAA\r\n", "empty": "", "binary": "\x00\xff\n\n\n \t",
		"like ours": "ssh-ed25519 AAAA latchstring ses-AAAAAAAA con-1\n",
	} {
		path := filepath.Join(t.TempDir(), "authorized_keys")
		if err := os.WriteFile(path, []byte(before), 0o640); err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() == 0 {
			os.Chown(path, 1, 2)
		}
		e, err := Add(tr, path, key(t), time.Now().Add(time.Minute), "ses-AAAAAAAA con-1")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := os.ReadFile(path)
		if !strings.HasPrefix(string(b), `restrict,pty,from="127.0.0.1,::1",expiry-time="20`) || !strings.HasSuffix(string(b), "\n"+before) {
			t.Errorf("%s: %q", name, b)
		}
		check := func(when string) {
			st, err := os.Stat(path)
			if err != nil || st.Mode().Perm() != 0o640 {
				t.Errorf("%s, %s: %v, %v", name, when, st, err)
			} else if sys := st.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && (sys.Uid != 1 || sys.Gid != 2) {
				t.Errorf("%s, %s: owner %d:%d", name, when, sys.Uid, sys.Gid)
			}
		}
		check("added")
		if _, _, _, _, err := ssh.ParseAuthorizedKey(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := e.Remove(); err != nil {
			t.Fatal(err)
		}
		if b, _ := os.ReadFile(path); string(b) != before {
			t.Errorf("%s: afterwards %q", name, b)
		}
		check("removed")
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

func TestWhatWasMadeIsTakenAway(t *testing.T) {
	tr, home := tree(t), t.TempDir()
	path := home + "/.ssh/authorized_keys"
	e, err := Add(tr, path, key(t), time.Now().Add(time.Minute), "ses-AAAAAAAA con-1")
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	if err := e.Remove(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(home); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// After a crash, by session; another session's line stays.
func TestClean(t *testing.T) {
	tr, home := tree(t), t.TempDir()
	path := home + "/.ssh/authorized_keys"
	for _, what := range []string{"ses-AAAAAAAA con-1", "ses-AAAAAAAA con-2", "ses-BBBBBBBB con-3"} {
		if _, err := Add(tr, path, key(t), time.Now().Add(time.Minute), what); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := Clean(tr, path, "ses-AAAAAAAA"); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	b, _ := os.ReadFile(path)
	if strings.Contains(string(b), "ses-AAAAAAAA") || !strings.Contains(string(b), "ses-BBBBBBBB") {
		t.Errorf("%q", b)
	}
	if n, err := Clean(tr, path, ""); n != 1 || err != nil { // of any session
		t.Errorf("%d, %v", n, err)
	}
	if n, err := Clean(tr, home+"/none/authorized_keys", "ses-AAAAAAAA"); n != 0 || err != nil {
		t.Errorf("nothing to clean: %d, %v", n, err)
	}
}

func TestManyAtOnce(t *testing.T) {
	tr, home := tree(t), t.TempDir()
	path := home + "/authorized_keys"
	before := "ssh-ed25519 AAAA me\n"
	os.WriteFile(path, []byte(before), 0o600)
	var wg sync.WaitGroup
	for range 20 {
		k := key(t)
		wg.Go(func() {
			e, err := Add(tr, path, k, time.Now().Add(time.Minute), "ses-AAAAAAAA con-1")
			if err != nil {
				t.Error(err)
				return
			}
			if err := e.Remove(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if b, _ := os.ReadFile(path); string(b) != before {
		t.Errorf("%q", b)
	}
}

// A symbolic link stays one.
func TestLink(t *testing.T) {
	tr, home := tree(t), t.TempDir()
	os.WriteFile(home+"/real", []byte("x\n"), 0o600)
	os.Symlink("real", home+"/authorized_keys")
	e, err := Add(tr, home+"/authorized_keys", key(t), time.Now().Add(time.Minute), "ses-AAAAAAAA con-1")
	if err != nil {
		t.Fatal(err)
	}
	if l, err := os.Readlink(home + "/authorized_keys"); l != "real" || err != nil {
		t.Errorf("%q, %v", l, err)
	}
	e.Remove()
	if b, _ := os.ReadFile(home + "/real"); string(b) != "x\n" {
		t.Errorf("%q", b)
	}
}
