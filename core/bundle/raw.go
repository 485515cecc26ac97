package bundle

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// rawCopy keeps what is read of an item, encrypted. It never fails the item:
// what cannot be kept cannot be shown, that is all.
type rawCopy struct {
	f   *os.File
	buf *bufio.Writer
	w   io.WriteCloser
	err error
}

func (d *Draft) keepRaw() *rawCopy {
	f, err := d.spool.create()
	if err != nil {
		return nil
	}
	c := &rawCopy{f: f, buf: bufio.NewWriterSize(f, 64<<10)}
	if c.w, c.err = age.Encrypt(c.buf, d.raw.Recipient()); c.err != nil {
		c.w = nil
	}
	return c
}

func (c *rawCopy) write(p []byte) {
	if c != nil && c.err == nil && len(p) > 0 {
		_, c.err = c.w.Write(p)
	}
}

// close returns where it lies, or nothing.
func (c *rawCopy) close() string {
	if c == nil {
		return ""
	}
	if c.w != nil {
		if err := c.w.Close(); c.err == nil {
			c.err = err
		}
	}
	if err := c.buf.Flush(); c.err == nil {
		c.err = err
	}
	if err := c.f.Close(); c.err == nil {
		c.err = err
	}
	if c.err != nil {
		os.Remove(c.f.Name())
		return ""
	}
	return c.f.Name()
}

// Content is a file that can be read anywhere.
type Content interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

type spoolContent struct {
	io.ReaderAt
	f    *os.File
	size int64
}

func (c spoolContent) Size() int64  { return c.size }
func (c spoolContent) Close() error { return c.f.Close() }

// Sanitized opens a file of the draft as it would leave.
func (d *Draft) Sanitized(path string) (Content, error) {
	s := d.find(path)
	if s == nil {
		return nil, fmt.Errorf("open %s: no such file in the bundle", path)
	}
	f, err := os.Open(s.disk)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return spoolContent{f, f, s.Size}, nil
}

// Raw opens what was read for a file, before it was sanitized. It is there
// only with [Options.KeepRaw], and must be shown to nobody but the user.
func (d *Draft) Raw(path string) (Content, error) {
	s := d.find(path)
	if s == nil || s.raw == "" {
		return nil, fmt.Errorf("open %s: what was read was not kept", path)
	}
	f, err := os.Open(s.raw)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	st, err := f.Stat()
	if err == nil {
		var r io.ReaderAt
		var size int64
		if r, size, err = age.DecryptReaderAt(f, st.Size(), d.raw); err == nil {
			return spoolContent{r, f, size}, nil
		}
	}
	f.Close()
	return nil, fmt.Errorf("open %s: %w", path, err)
}

func (d *Draft) find(path string) *spooled {
	for _, f := range d.files {
		if f.Path == path {
			return f
		}
	}
	return nil
}

// remove takes a file out of the spool.
func (s *spooled) remove() {
	os.Remove(s.disk)
	if s.raw != "" {
		os.Remove(s.raw)
	}
}

// replace puts other content in the place of a file's.
func (s *spooled) replace(n *spooled) {
	os.Remove(s.disk)
	s.disk, s.Size, s.SHA256 = n.disk, n.Size, n.SHA256
}
