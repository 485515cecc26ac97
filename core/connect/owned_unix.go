//go:build unix

package connect

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// owned refuses a directory that another user made for us.
func owned(fi fs.FileInfo) error {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to user %d, not to you", st.Uid)
	}
	return nil
}
