package filetree

import (
	"bytes"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// sniffed is how much of a file is looked at.
const sniffed = 8 << 10

// IsText reports whether a file looks like text: no zero byte near its
// beginning, or a byte order mark of UTF-16 in front. It does not move the
// file's offset. An empty file is text.
func IsText(f io.ReaderAt) (bool, error) {
	head := make([]byte, sniffed)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	head = head[:n]
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return true, nil
	}
	return bytes.IndexByte(head, 0) < 0, nil
}

// Tail moves the offset of f so that at most max bytes remain, beginning with
// a whole line where there is one. It reports whether something was left out.
func Tail(f *os.File, size, max int64) (cut bool, err error) {
	if max <= 0 || size <= max {
		return false, nil
	}
	at := size - max
	buf := make([]byte, 64<<10)
	n, err := f.ReadAt(buf, at-1) // the byte before: it may end a line
	if err != nil && err != io.EOF {
		return false, err
	}
	if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
		at += int64(i)
	}
	_, err = f.Seek(at, io.SeekStart)
	return true, err
}

// readable reports whether this process can open a file itself.
func readable(p string) bool {
	fd, err := unix.Open(p, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err == syscall.EACCES || err == syscall.EPERM {
		return false
	}
	if err == nil {
		unix.Close(fd)
	}
	return true
}
