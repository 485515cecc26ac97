package members

import (
	"archive/zip"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"
)

// zip rewrites a zip archive, which is spooled first: its directory is at its
// end.
func (j *job) zip(dst io.Writer, src io.Reader, name string, depth int) error {
	raw := j.newSpool()
	defer raw.Close()
	in := &meter{j: j, r: src, count: new(int64)}
	if _, err := io.Copy(raw, in); err != nil {
		if in.fault != nil {
			return j.damaged(name, Zip, in.fault)
		}
		return fmt.Errorf("read %s: %w", name, err)
	}
	// The reader believes how many members a directory lists; what it reads
	// for the directory bounds what it keeps.
	bound := &boundedAt{r: raw, left: 64<<10 + int64(j.Members)*256}
	zr, err := zip.NewReader(bound, raw.size)
	if bound.left < 0 {
		return &OmitError{name, "its directory is too large"}
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return j.damaged(name, Zip, err)
	}
	bound.off = true
	zr.RegisterDecompressor(12, func(r io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(r)) })
	zr.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor(zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(uint64(j.Window))))

	zw := zip.NewWriter(dst)
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.DefaultCompression)
	})
	t := newTree()
	sp := j.newSpool()
	defer sp.Close()
	for _, f := range zr.File {
		if j.members++; j.members > j.Members {
			j.spent = fmt.Sprintf("more than %d members", j.Members)
			return &OmitError{name, j.spent}
		}
		if err := j.zipMember(zw, f, t, sp, name, depth); err != nil {
			return err
		}
		sp.reset()
	}
	if err := zw.Close(); err != nil {
		return fmt.Errorf("rewrite %s: %w", name, err)
	}
	return nil
}

// boundedAt fails when more than left bytes are read, until it is off.
type boundedAt struct {
	r    io.ReaderAt
	left int64
	off  bool
}

func (b *boundedAt) ReadAt(p []byte, off int64) (int, error) {
	if !b.off {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, errSpent
		}
	}
	return b.r.ReadAt(p, off)
}

func (j *job) zipMember(zw *zip.Writer, f *zip.File, t *tree, sp *spool, archive string, depth int) error {
	name := cleanName(j.rename(f.Name))
	full := archive + "/" + name
	mode := f.Mode()
	out := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: f.Modified, NonUTF8: f.NonUTF8}
	if f.Method == zip.Store {
		out.Method = zip.Store
	}
	switch {
	case t.below(name):
		j.omit(full, "behind a symbolic link of the archive")
		return nil
	case f.Flags&1 != 0 || f.Flags&0x40 != 0:
		j.omit(full, "encrypted")
		return nil
	case mode.IsDir() || strings.HasSuffix(f.Name, "/"):
		out.Name, out.Method = name+"/", zip.Store
		out.SetMode(fs.ModeDir | mode.Perm())
		if _, err := zw.CreateHeader(out); err != nil {
			return fmt.Errorf("rewrite %s: %w", archive, err)
		}
		return nil
	case mode&fs.ModeType != 0 && mode&fs.ModeType != fs.ModeSymlink:
		j.omit(full, "a device or another special file")
		return nil
	}
	rc, err := f.Open()
	if err != nil {
		j.omit(full, "damaged, or packed by a method that is not known")
		return nil
	}
	defer rc.Close()
	m := &meter{j: j, r: rc, count: &j.content}
	var reason string
	if mode&fs.ModeSymlink != 0 {
		reason, err = j.zipLink(sp, m, t, name)
	} else {
		reason, err = j.anything(j.hold(sp), m, archive+"/"+f.Name, depth)
		if err == nil && reason == "" && m.fault == nil {
			io.Copy(io.Discard, m) // the checksum is compared at the end
		}
	}
	switch {
	case j.hard != nil:
		return j.hard
	case j.spent != "":
		return &OmitError{archive, j.spent}
	case m.fault != nil:
		j.omit(full, "damaged")
		return nil
	case err != nil:
		return fmt.Errorf("member %s: %w", full, err)
	case reason != "":
		j.omit(full, reason)
		return nil
	}
	t.files[name] = true
	if j.readOnly {
		return nil
	}
	out.SetMode(mode&fs.ModeSymlink | mode.Perm())
	w, err := zw.CreateHeader(out)
	if err == nil {
		_, err = io.Copy(w, sp.reader())
	}
	if err != nil {
		return fmt.Errorf("rewrite %s: %w", archive, err)
	}
	return nil
}

// zipLink reads the target of a symbolic link, which is its content.
func (j *job) zipLink(sp *spool, r io.Reader, t *tree, name string) (reason string, err error) {
	target, err := io.ReadAll(io.LimitReader(r, 4097))
	if err != nil || len(target) > 4096 {
		return "a link to a strange name", nil
	}
	to := j.rename(string(target))
	if reason := t.symlink(name, to); reason != "" {
		return reason, nil
	}
	t.links[name] = true
	_, err = io.WriteString(sp, to)
	return "", err
}
