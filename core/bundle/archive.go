package bundle

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/mholt/archives"
)

// member is a file of exactly known size on its way into an archive.
type member struct {
	name string
	size int64
	time time.Time
	open func() (io.ReadCloser, error)
}

func bytesMember(name string, b []byte) member {
	return member{name: name, size: int64(len(b)), open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b)), nil
	}}
}

func fileMember(name string, size int64, disk string) member {
	return member{name: name, size: size, open: func() (io.ReadCloser, error) { return os.Open(disk) }}
}

// writeArchive packs members in the given order. All have the same owner, mode
// and time, so that equal members give equal bytes. The packer below drops
// errors of its last steps: the caller must read the archive back.
func writeArchive(ctx context.Context, w io.Writer, f Format, members []member) error {
	infos := make([]archives.FileInfo, len(members))
	for i, m := range members {
		infos[i] = archives.FileInfo{FileInfo: info{m}, NameInArchive: m.name, Open: func() (fs.File, error) {
			r, err := m.open()
			if err != nil {
				return nil, err
			}
			return &content{ReadCloser: r, info: info{m}, left: m.size}, nil
		}}
	}
	ew := &errWriter{w: w}
	c := f.compression()
	if c == nil {
		if err := f.archival().Archive(ctx, ew, infos); err != nil {
			return err
		}
		return ew.err
	}
	cw, err := c.OpenWriter(ew)
	if err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	if err := f.archival().Archive(ctx, cw, infos); err != nil {
		cw.Close()
		return err
	}
	if err := cw.Close(); err != nil {
		return err
	}
	return ew.err
}

// info is the fs.FileInfo of a member.
type info struct{ m member }

func (i info) Name() string       { return path.Base(i.m.name) }
func (i info) Size() int64        { return i.m.size }
func (i info) Mode() fs.FileMode  { return 0o600 }
func (i info) ModTime() time.Time { return i.m.time }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return nil }

// content reads exactly the announced number of bytes, or fails.
type content struct {
	io.ReadCloser
	info
	left int64
}

func (c *content) Stat() (fs.FileInfo, error) { return c.info, nil }

func (c *content) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.ReadCloser.Read(p)
	c.left -= int64(n)
	if err == io.EOF && c.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// errWriter remembers the first error of a writer whose user forgets it.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) Write(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.w.Write(p)
	e.err = err
	return n, err
}
