package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/access/account"
)

var errRefused = errors.New("refused by the judge")

func below(dirs ...string) func(string) error {
	return func(path string) error {
		for _, d := range dirs {
			if strings.HasPrefix(path, d+"/") {
				return nil
			}
		}
		return fmt.Errorf("%s: %w", path, errRefused)
	}
}

func all(string) error { return nil }

func tree(t *testing.T, user string, j Judge) *Tree {
	t.Helper()
	a, err := account.Current()
	if user != "" {
		a, err = account.Lookup(user)
	}
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(a, j)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func put(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func temp(t *testing.T) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for d := dir; d != "/tmp" && d != "/"; d = filepath.Dir(d) { // other users pass
		os.Chmod(d, 0o755)
	}
	return dir
}

// The judge hears where a file lies, whatever is asked for.
func TestPathsCannotEscape(t *testing.T) {
	dir := temp(t)
	open, closed := dir+"/open", dir+"/closed"
	put(t, open+"/sub/f", "fine", 0o644)
	put(t, closed+"/secret", "secret", 0o644)
	links := map[string]string{"link": closed + "/secret", "rel": "../closed/secret", "dirlink": closed, "chain": "link", "up": "sub/../../closed/secret", "loop": "loop"}
	for name, target := range links {
		if err := os.Symlink(target, open+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	tr := tree(t, "", Judge{Upload: below(open), Download: below(open)})
	for _, ok := range []string{open + "/sub/f", closed + "/../open/sub/f", open + "//sub/./f", open + "/dirlink/../open/sub/f"} {
		if f, path, err := tr.OpenRead(ok); err != nil || path != open+"/sub/f" {
			t.Errorf("%s: %q, %v", ok, path, err)
		} else {
			f.Close()
		}
	}
	for _, bad := range []string{closed + "/secret", open + "/../closed/secret", open + "/link", open + "/rel", open + "/chain", open + "/up",
		open + "/dirlink/secret", open + "/loop", open + "/sub", open + "/missing", "relative", open + "/sub/f\x00", "/proc/self/root" + closed + "/secret"} {
		if f, _, err := tr.OpenRead(bad); err == nil {
			b, _ := io.ReadAll(f)
			t.Errorf("%s was opened: %q", bad, b)
		}
		if f, _, err := tr.OpenWrite(bad, How{Truncate: true}); err == nil && bad != open+"/missing" {
			t.Errorf("%s was opened for writing", bad)
			f.Close()
		}
	}
	// New files by way of a link that leads to nothing yet, or of a linked directory.
	os.Symlink(closed+"/new", open+"/dangling")
	for _, bad := range []string{open + "/dangling", open + "/dirlink/new", open + "/sub/../../closed/new"} {
		if _, _, err := tr.OpenWrite(bad, How{Mode: 0o644}); !errors.Is(err, errRefused) {
			t.Errorf("%s: %v", bad, err)
		}
		if _, err := tr.Mkdir(bad, 0o755); err == nil && bad != open+"/dangling" {
			t.Errorf("mkdir %s", bad)
		}
	}
	if _, err := os.Lstat(closed + "/new"); err == nil {
		t.Error("a file was made outside")
	}
	if b, _ := os.ReadFile(closed + "/secret"); string(b) != "secret" {
		t.Errorf("changed: %q", b)
	}
}

func TestChangesAreJudgedAtBothEnds(t *testing.T) {
	dir := temp(t)
	in, out := dir+"/in", dir+"/out"
	put(t, in+"/f", "in", 0o644)
	put(t, out+"/secret", "secret", 0o644)
	tr := tree(t, "", Judge{Upload: below(in), Download: below(in)})
	_, e1 := tr.Rename(out+"/secret", in+"/s", false)
	_, e2 := tr.Link(out+"/secret", in+"/s")
	_, e3 := tr.Rename(in+"/f", out+"/f", false)
	_, e4 := tr.Remove(out+"/secret", false)
	_, e5 := tr.Chmod(out+"/secret", 0o777)
	_, e6 := tr.Truncate(out+"/secret", 0)
	_, e7 := tr.Symlink(in+"/f", out+"/l")
	for i, err := range []error{e1, e2, e3, e4, e5, e6, e7} {
		if !errors.Is(err, errRefused) {
			t.Errorf("change %d: %v", i+1, err)
		}
	}
	// What may be put but not taken does not become takeable by moving it.
	tr = tree(t, "", Judge{Upload: below(in, out), Download: below(in)})
	if _, err := tr.Rename(out+"/secret", in+"/s", false); !errors.Is(err, errRefused) {
		t.Errorf("moved to where it can be taken: %v", err)
	}
	if _, err := tr.Link(out+"/secret", in+"/s"); !errors.Is(err, errRefused) {
		t.Errorf("linked to where it can be taken: %v", err)
	}
	if _, err := tr.Rename(in+"/f", out+"/g", false); err != nil {
		t.Errorf("the other way: %v", err)
	}
	put(t, in+"/a", "a", 0o644)
	put(t, in+"/b", "b", 0o644)
	if _, err := tr.Rename(in+"/a", in+"/b", false); !os.IsExist(err) {
		t.Errorf("rename over a file: %v", err)
	}
	if _, err := tr.Rename(in+"/a", in+"/b", true); err != nil {
		t.Errorf("posix rename: %v", err)
	}
}

// /proc/self would be the agent: its memory, its environment, its descriptors.
func TestProcessesAndDevicesAreNotFiles(t *testing.T) {
	dir := temp(t)
	if err := unix.Mkfifo(dir+"/fifo", 0o666); err != nil {
		t.Fatal(err)
	}
	os.Symlink("/proc/self/environ", dir+"/env")
	tr := tree(t, "", Judge{Upload: all, Download: all})
	pid := fmt.Sprint(os.Getpid())
	for _, bad := range []string{"/proc/self/environ", "/proc/" + pid + "/environ", "/proc/thread-self/environ", "/proc/self/fd/0", "/proc/self/mem", dir + "/env",
		"/proc/1/environ", "/proc/self/task/" + pid + "/environ", "/dev/stdin", "/dev/null", "/dev/zero", dir + "/fifo", dir} {
		if f, _, err := tr.OpenRead(bad); err == nil {
			t.Errorf("%s was opened", bad)
			f.Close()
		}
	}
	if _, err := tr.ReadDir("/proc/self/fd"); err == nil {
		t.Error("the agent's descriptors were listed")
	}
	if f, _, err := tr.OpenRead("/proc/meminfo"); err != nil {
		t.Errorf("/proc/meminfo: %v", err)
	} else {
		f.Close()
	}
}

// The kernel decides as for the user, and other threads stay what they are.
func TestActsAsTheUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can act as somebody else")
	}
	dir := temp(t)
	secret := put(t, dir+"/secret", "root's", 0o600)
	group := put(t, dir+"/group", "daemon's group", 0o640)
	os.Chown(group, 0, 1)
	mine := dir + "/mine"
	os.Mkdir(mine, 0o755)
	nobody, err := account.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	os.Chown(mine, int(nobody.UID), int(nobody.GID))
	tr := tree(t, "nobody", Judge{Upload: all, Download: all})
	for name, err := range map[string]error{
		"read":    second(tr.OpenRead(secret)),
		"group":   second(tr.OpenRead(group)),
		"shadow":  second(tr.OpenRead("/etc/shadow")),
		"write":   second(tr.OpenWrite(secret, How{})),
		"create":  second(tr.OpenWrite(dir+"/new", How{Mode: 0o644})),
		"environ": second(tr.OpenRead("/proc/1/environ")),
		"chmod":   first(tr.Chmod(secret, 0o777)),
		"chown":   first(tr.Chown(secret, int(nobody.UID), -1)),
		"remove":  first(tr.Remove(secret, false)),
	} {
		if err == nil {
			t.Errorf("%s: nobody could do it", name)
		}
	}
	f, _, err := tr.OpenWrite(mine+"/f", How{Mode: 0o666})
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	st, _ := os.Stat(mine + "/f")
	if sys := st.Sys().(*syscall.Stat_t); sys.Uid != nobody.UID || sys.Gid != nobody.GID || st.Mode().Perm() != 0o644 {
		t.Errorf("made as %d:%d %v", sys.Uid, sys.Gid, st.Mode())
	}
	if _, err := tr.Chown(mine+"/f", 0, 0); err == nil {
		t.Error("a file was given to root")
	}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := os.ReadFile(secret); err != nil {
				t.Error("another thread lost root's rights:", err)
			}
		})
	}
	wg.Wait()
	daemon := tree(t, "daemon", Judge{Upload: all, Download: all})
	if f, _, err := daemon.OpenRead(group); err != nil {
		t.Errorf("daemon, whose group it is: %v", err)
	} else {
		f.Close()
	}
}

func second[A, B any](_ A, _ B, err error) error { return err }
func first[A any](_ A, err error) error          { return err }

// A directory that is swapped for a link, over and over, while files are
// opened: whatever is opened lies where the judge was told.
func TestSwappedDirectories(t *testing.T) {
	dir := temp(t)
	open, closed := dir+"/open", dir+"/closed"
	put(t, open+"/d/f", "fine", 0o644)
	put(t, closed+"/f", "secret", 0o644)
	os.Symlink(closed, open+"/l")
	stop := make(chan struct{})
	var swaps sync.WaitGroup
	swaps.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, open+"/d", unix.AT_FDCWD, open+"/l", unix.RENAME_EXCHANGE)
			}
		}
	})
	tr := tree(t, "", Judge{Upload: below(open), Download: below(open)})
	opened := 0
	for start := time.Now(); time.Since(start) < 500*time.Millisecond; {
		if f, _, err := tr.OpenRead(open + "/d/f"); err == nil {
			opened++
			if b, _ := io.ReadAll(f); string(b) != "fine" {
				t.Fatalf("read %q", b)
			}
			f.Close()
		}
		if f, _, err := tr.OpenWrite(open+"/d/g", How{Mode: 0o644}); err == nil {
			f.Close()
		}
	}
	close(stop)
	swaps.Wait()
	if _, err := os.Lstat(closed + "/g"); err == nil {
		t.Error("a file was made outside")
	}
	if opened == 0 {
		t.Error("nothing was ever opened")
	}
}

func TestLooking(t *testing.T) {
	dir := temp(t)
	put(t, dir+"/a.log", "1", 0o644)
	put(t, dir+"/b.log", "22", 0o644)
	put(t, dir+"/.hidden.log", "3", 0o644)
	os.Symlink("a.log", dir+"/l")
	tr := tree(t, "", Judge{Upload: all, Download: all})
	infos, err := tr.ReadDir(dir)
	if err != nil || len(infos) != 4 || infos[1].Name() != "a.log" || infos[3].Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v, %v", infos, err)
	}
	if i, err := tr.Stat(dir+"/l", true); err != nil || i.Size() != 1 || !i.Mode().IsRegular() {
		t.Errorf("%v, %v", i, err)
	}
	if l, err := tr.Readlink(dir + "/l"); l != "a.log" || err != nil {
		t.Errorf("%q, %v", l, err)
	}
	if got := tr.Glob(dir + "/*.log"); len(got) != 2 || got[1] != dir+"/b.log" {
		t.Errorf("glob: %q", got)
	}
	if got := tr.Glob(dir + "/none*"); len(got) != 0 {
		t.Errorf("glob: %q", got)
	}
	if _, err := tr.StatFS(dir); err != nil {
		t.Error(err)
	}
	if _, err := tr.Times(dir+"/l", time.Unix(5, 0), time.Unix(6, 0)); err != nil {
		t.Error(err)
	}
	if i, _ := os.Stat(dir + "/a.log"); i.ModTime().Unix() != 6 {
		t.Error(i.ModTime())
	}
	if _, err := tr.Mkdir(dir+"/x", 0o700); err != nil {
		t.Error(err)
	}
	if _, err := tr.Remove(dir+"/x", true); err != nil {
		t.Error(err)
	}
	tr2, _ := New(account.Account{UID: uint32(os.Geteuid()), Name: "x"}, Judge{})
	tr2.Close()
	if _, err := tr2.Stat("/", true); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
