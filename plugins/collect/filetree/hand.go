package filetree

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/failure"
)

// Hander hands found files to a sink.
type Hander struct {
	Sink    collect.Sink
	MaxFile int64 // bytes kept of one file, its end; 0 for all
	Head    bool  // keep the beginning instead: for configuration
	Config  func(Entry) bool
	names   map[string]bool
}

// Hand hands over one regular file. Compressed files are read through and lose
// their ending. What is no text is reported as failed, with that reason. The
// error is the sink's: collecting cannot go on.
func (h *Hander) Hand(e Entry) error {
	it := collect.Item{Name: collect.NameOf(e.Path), Source: e.Path, Size: e.Size, ModTime: e.ModTime}
	if h.Config != nil {
		it.Config = h.Config(e)
	}
	plain, isCompressed := Plain(it.Name)
	if isCompressed && !h.names[plain] {
		it.Name, it.Size = plain, 0
	}
	if h.names == nil {
		h.names = map[string]bool{}
	}
	if h.names[it.Name] {
		return h.Sink.Failed(it, errors.New("another file has this name in the bundle"))
	}
	h.names[it.Name] = true
	if e.Err != nil {
		return h.Sink.Failed(it, e.Err)
	}
	f, err := h.Sink.Open(e.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h.Sink.Absent(it, "gone since it was found")
	case err != nil:
		return h.Sink.Failed(it, err)
	}
	if isCompressed {
		defer f.Close()
		return h.decompress(it, f, e.Path)
	}
	text, err := IsText(f)
	if err == nil && !text {
		err = errBinary
	}
	if err != nil {
		f.Close()
		return h.Sink.Failed(it, err)
	}
	if st, err := f.Stat(); err == nil {
		it.Size = st.Size() // logs grow while we look
	}
	if h.MaxFile > 0 && it.Size > h.MaxFile {
		defer f.Close()
		return h.cut(it, f)
	}
	return h.Sink.File(it, f)
}

// cut hands over a part of a file that is too long.
func (h *Hander) cut(it collect.Item, f *os.File) error {
	size := it.Size
	which := "first"
	if !h.Head {
		which = "last"
		if _, err := Tail(f, size, h.MaxFile); err != nil {
			return h.Sink.Failed(it, err)
		}
	}
	it.Size = 0
	s, err := h.Sink.Stream(it)
	if err != nil {
		return err
	}
	s.Truncate(fmt.Sprintf("the %s %d of %d bytes", which, h.MaxFile, size))
	_, err = io.Copy(s, io.LimitReader(f, h.MaxFile))
	return s.CloseWithError(err)
}

func (h *Hander) decompress(it collect.Item, f *os.File, name string) error {
	s, err := h.Sink.Stream(it)
	if err != nil {
		return err
	}
	max := cmp.Or(h.MaxFile, int64(1<<40))
	t := &textOnly{w: s}
	if h.MaxFile > 0 && !h.Head {
		kept, err := DecompressEnd(t, f, name, max)
		if kept != "" {
			s.Truncate(kept)
		}
		return s.CloseWithError(err)
	}
	cut, err := Decompress(t, f, name, max)
	if cut {
		s.Truncate(fmt.Sprintf("the first %d bytes", max))
	}
	return s.CloseWithError(err)
}

// textOnly lets nothing pass when the first bytes are no text.
type textOnly struct {
	w    io.Writer
	seen int
}

func (t *textOnly) Write(p []byte) (int, error) {
	if t.seen < sniffed {
		n := min(len(p), sniffed-t.seen)
		for _, c := range p[:n] {
			if c == 0 {
				return 0, errBinary
			}
		}
		t.seen += n
	}
	return t.w.Write(p)
}

// errBinary is for a file that is left out because it is no text.
var errBinary = failure.New(failure.Unsupported, "", "a binary file, no text")
