package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/mholt/archives"
)

// ReadLimits bound what a bundle of unknown origin may ask for.
type ReadLimits struct {
	Files int   // members
	Size  int64 // bytes of all members together
	// Ratio of unpacked to packed size. It counts beyond the first 4 GiB only,
	// since honest logs of one repeated line reach any ratio.
	Ratio int64
}

// DefaultReadLimits are generous for bundles and small for bombs.
var DefaultReadLimits = ReadLimits{Files: 200_000, Size: 32 << 30, Ratio: 200}

const ratioFloor = 4 << 30

func (l ReadLimits) orDefault() ReadLimits {
	d := DefaultReadLimits
	if l.Files > 0 {
		d.Files = l.Files
	}
	if l.Size > 0 {
		d.Size = l.Size
	}
	if l.Ratio > 0 {
		d.Ratio = l.Ratio
	}
	return d
}

// Member is a file in an archive.
type Member struct {
	Path string // below the bundle's folder
	Size int64  // as announced

	folder string
}

// walk calls fn for every member of the archive, whatever the manifest says.
// It refuses what a bundle never holds: links, devices, folders, names that
// climb, two members of one name, and anything beyond the limits.
func (b *Bundle) walk(ctx context.Context, fn func(Member, io.Reader) error) error {
	meter := &meter{limits: b.limits, packed: b.size, name: b.name}
	seen := map[string]bool{}
	folder := ""
	all := false
	handle := func(ctx context.Context, fi archives.FileInfo) error {
		if err := meter.member(); err != nil {
			return err
		}
		if !fi.Mode().IsRegular() || fi.LinkTarget != "" {
			return fmt.Errorf("member %.200q is no regular file", fi.NameInArchive)
		}
		if err := checkPath(fi.NameInArchive); err != nil {
			return fmt.Errorf("member: %w", err)
		}
		dir, rest, ok := strings.Cut(fi.NameInArchive, "/")
		if !ok || (folder != "" && dir != folder) {
			return fmt.Errorf("member %.200q lies outside the bundle's folder", fi.NameInArchive)
		}
		if folder = dir; seen[rest] {
			return fmt.Errorf("member %.200q is there twice", fi.NameInArchive)
		}
		seen[rest] = true
		f, err := fi.Open()
		if err != nil {
			return fmt.Errorf("member %.200q: %w", fi.NameInArchive, err)
		}
		defer f.Close()
		err = fn(Member{Path: rest, Size: fi.Size(), folder: dir}, &metered{ctx: ctx, r: f, m: meter})
		all = errors.Is(err, fs.SkipAll)
		return err
	}
	src := io.NewSectionReader(b.src, 0, b.size)
	c := b.Format.compression()
	if c == nil {
		return b.Format.archival().Extract(ctx, src, handle)
	}
	r, err := c.OpenReader(src)
	if err != nil {
		return fmt.Errorf("decompress: %w", err)
	}
	defer r.Close()
	// The stream itself is metered too: what a member's reader leaves is
	// skipped, but it had to be decompressed.
	stream := &metered{ctx: ctx, r: r, m: meter, tar: true}
	if err := b.Format.archival().Extract(ctx, stream, handle); err != nil || all {
		return err
	}
	return onlyZeros(stream)
}

// onlyZeros reads what follows the end of a tar: padding, and nothing else.
func onlyZeros(r io.Reader) error {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		for _, c := range buf[:n] {
			if c != 0 {
				return errors.New("something follows the end of the archive")
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// meter counts what an archive unfolds to.
type meter struct {
	name    string
	limits  ReadLimits
	packed  int64
	members int
	files   int64 // bytes of the members' contents
	stream  int64 // bytes of the tar, which may skip or pad
}

func (m *meter) member() error {
	if m.members++; m.members > m.limits.Files {
		return &LimitError{m.name, fmt.Sprintf("it has more than %d files", m.limits.Files)}
	}
	return nil
}

func (m *meter) check(size, spare int64) error {
	if size-spare > m.limits.Size {
		return &LimitError{m.name, fmt.Sprintf("it unfolds to more than %d bytes", m.limits.Size)}
	}
	if size > ratioFloor && size/m.limits.Ratio > m.packed {
		return &LimitError{m.name, fmt.Sprintf("it unfolds to more than %d times its size", m.limits.Ratio)}
	}
	return nil
}

// metered reads and lets the meter refuse to go on.
type metered struct {
	ctx context.Context
	r   io.Reader
	m   *meter
	tar bool // count what the tar reader takes, not what it gives
}

func (r *metered) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	var merr error
	if r.tar {
		r.m.stream += int64(n)
		// Headers and padding: three blocks a member, and the end.
		merr = r.m.check(r.m.stream, int64(r.m.members+2)*4096+1<<20)
	} else {
		r.m.files += int64(n)
		merr = r.m.check(r.m.files, 0)
	}
	if merr != nil {
		return n, merr
	}
	return n, err
}
