package files

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// except refuses what lies in some directories, and only that.
func except(dirs ...string) func(string) error {
	return func(path string) error {
		for _, d := range dirs {
			if path == d || strings.HasPrefix(path, d+"/") {
				return fmt.Errorf("%s: %w", path, errRefused)
			}
		}
		return nil
	}
}

// REQ A12: a directory is not a way to move what may not be moved by itself.
func TestRenameOfDirectoryIsJudgedByItsContent(t *testing.T) {
	dir := temp(t)
	for name, c := range map[string]struct {
		judge   Judge
		make    func(d string)
		refused bool
	}{
		"nothing restricted":           {judge: Judge{Upload: all, Download: all}},
		"below, not to be taken":       {judge: Judge{Upload: all, Download: except(dir + "/from/sub/secret")}, refused: true},
		"below, not to be changed":     {judge: Judge{Upload: except(dir + "/from/sub/secret"), Download: all}, refused: true},
		"not to be put there":          {judge: Judge{Upload: except(dir + "/to/sub/secret"), Download: all}, refused: true},
		"to where nothing is taken":    {judge: Judge{Upload: all, Download: except(dir+"/from/sub/secret", dir+"/to")}},
		"where it could be taken from": {judge: Judge{Upload: all, Download: except(dir + "/from/sub")}, refused: true},
		"a restricted name that is a link": {judge: Judge{Upload: except(dir + "/from/link"), Download: all},
			make: func(d string) { os.Symlink("/etc", d+"/link") }, refused: true},
		"a link to what is restricted": {judge: Judge{Upload: except("/etc"), Download: except("/etc")},
			make: func(d string) { os.Symlink("/etc", d+"/link") }},
		"a link that goes round": {judge: Judge{Upload: all, Download: all}, make: func(d string) { os.Symlink("..", d+"/sub/up") }},
		"too deep":               {judge: Judge{Upload: all, Download: all}, make: func(d string) { os.MkdirAll(d+strings.Repeat("/d", maxSubtreeDepth+1), 0o755) }, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			os.RemoveAll(dir + "/from")
			os.RemoveAll(dir + "/to")
			put(t, dir+"/from/sub/secret", "secret", 0o644)
			put(t, dir+"/from/plain", "plain", 0o644)
			if c.make != nil {
				c.make(dir + "/from")
			}
			_, err := tree(t, "", c.judge).Rename(dir+"/from", dir+"/to", false)
			if _, there := os.Stat(dir + "/to/sub/secret"); (err != nil) != c.refused || (there == nil) == c.refused {
				t.Errorf("%v; moved: %v", err, there == nil)
			}
		})
	}
}

// The way from a refused place to an open one by three renames of directories,
// none of which names a file.
func TestRenameInSteps(t *testing.T) {
	dir := temp(t)
	put(t, dir+"/closed/deep/secret", "secret", 0o644)
	os.Mkdir(dir+"/open", 0o755)
	tr := tree(t, "", Judge{Upload: all, Download: except(dir + "/closed/deep")})
	if _, err := tr.Rename(dir+"/closed", dir+"/open/x", false); !errors.Is(err, errRefused) {
		t.Errorf("the directory above: %v", err)
	}
	if _, err := tr.Rename(dir+"/closed/deep", dir+"/open/deep", false); !errors.Is(err, errRefused) {
		t.Errorf("the directory: %v", err)
	}
	if f, _, err := tr.OpenRead(dir + "/open/x/deep/secret"); err == nil {
		f.Close()
		t.Error("it was read")
	}
}

// What cannot be judged is not moved.
func TestRenameFailsClosed(t *testing.T) {
	dir := temp(t)
	big := dir + "/big"
	os.Mkdir(big, 0o755)
	for i := range maxSubtree + 1 {
		if err := os.Symlink("x", fmt.Sprintf("%s/%d", big, i)); err != nil {
			t.Fatal(err)
		}
	}
	tr := tree(t, "", Judge{Upload: all, Download: all})
	if _, err := tr.Rename(big, dir+"/moved", false); !errors.Is(err, errLarge) {
		t.Errorf("more than can be judged: %v", err)
	}
	os.Remove(big + "/0")
	if _, err := tr.Rename(big, dir+"/moved", false); err != nil {
		t.Errorf("as many as can be: %v", err)
	}
	if os.Geteuid() != 0 {
		t.Skip("another user is needed for what cannot be seen")
	}
	os.Chmod(dir, 0o777)
	put(t, dir+"/his/sealed/secret", "secret", 0o644)
	os.Chown(dir+"/his", 65534, 65534)
	os.Chmod(dir+"/his/sealed", 0o700)
	tr = tree(t, "nobody", Judge{Upload: all, Download: all})
	if _, err := tr.Rename(dir+"/his", dir+"/hers", false); !errors.Is(err, errUnseen) {
		t.Errorf("what cannot be looked into: %v", err)
	}
}
