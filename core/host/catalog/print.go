package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/latchstring/latchstring/core/paths"
)

// Print is what everything that decides about a plugin looks like from outside:
// its files, what else is installed, who is trusted. It changes when one of them
// is written, replaced, removed or given to somebody else, and costs no reading:
// it goes by inode, size, mode, owner and times, the last of which (ctime) nobody
// can set. builtin is as for [Load].
func Print(root paths.Root, builtin string, p Plugin) string {
	h := sha256.New()
	for _, path := range append(builtinPaths(builtin), root.Plugins(), root.Etc(PublishersFile), p.dir, p.Path) {
		look(h, path)
	}
	if p.dir != "" && p.State != Builtin {
		n := 0
		filepath.WalkDir(p.dir, func(path string, _ fs.DirEntry, err error) error {
			if n++; n > 2*maxFiles || err != nil {
				fmt.Fprintln(h, path, "is not looked at")
				return fs.SkipAll
			}
			look(h, path)
			return nil
		})
	}
	return hex.EncodeToString(h.Sum(nil))
}

func look(h hash.Hash, path string) {
	info, err := os.Lstat(path)
	if err != nil {
		fmt.Fprintf(h, "%q %v\n", path, errors.Is(err, fs.ErrNotExist))
		return
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		fmt.Fprintf(h, "%q %v\n", path, info)
		return
	}
	fmt.Fprintf(h, "%q %d %d %o %d %d %d %v %v\n", path, st.Dev, st.Ino, st.Mode, st.Uid, st.Gid, st.Size, st.Mtim, st.Ctim)
}
