package sanitize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize/encoding"
	"github.com/latchstring/latchstring/core/sanitize/gate"
	"github.com/latchstring/latchstring/core/sanitize/members"
)

// Copy implements [Engine]. Text in UTF-16 and UTF-32 is transcoded and comes
// out in the encoding it had. Compressed files and archives are opened,
// sanitized and packed again. A binary is left out, unless a glob of
// [Options.AllowBinary] lets it pass. When Result.Omitted is set, what was
// written must be thrown away.
func (s *Sanitizer) Copy(ctx context.Context, dst io.Writer, src io.Reader, f File) (Result, error) {
	in := &countReader{r: src}
	out := &countWriter{w: dst}
	c := &call{s: s, f: f}
	omitted, err := c.any(ctx, out, in, f.Name)
	res := Result{In: in.n, Out: out.n, Hidden: c.hidden, Omitted: omitted}
	var omit *members.OmitError
	if errors.As(err, &omit) {
		res.Omitted, err = omit.Reason, nil
	}
	s.ledger.add(f.Name, &c.tally, res.Omitted)
	if err != nil {
		return res, fmt.Errorf("sanitize %s: %w", f.Name, err)
	}
	return res, nil
}

// call is one call of Copy, which may pass through many streams.
type call struct {
	s      *Sanitizer
	f      File
	tally  tally
	hidden int
	quiet  bool       // nothing goes into the report
	gate   *gate.Gate // reads along, if it is not nil
	hits   []gate.Hit
}

// any sanitizes what may be a container, text or a binary.
func (c *call) any(ctx context.Context, dst io.Writer, src io.Reader, name string) (omitted string, err error) {
	head, src, err := peek(src)
	if err != nil {
		return "", err
	}
	if kind := members.Detect(name, head); kind != members.None {
		return "", c.container(ctx, dst, src, name, kind)
	}
	return c.text(ctx, dst, src, name, encoding.Detect(head))
}

// peek reads the beginning of src and returns a reader that has all of it.
// io.ReadFull would not do: a decoder reports damage as io.ErrUnexpectedEOF.
func peek(src io.Reader) ([]byte, io.Reader, error) {
	head := make([]byte, encoding.DetectSize)
	n := 0
	for empty := 0; n < len(head); {
		k, err := src.Read(head[n:])
		n += k
		if err == io.EOF {
			return head[:n], bytes.NewReader(head[:n]), nil
		}
		if err != nil {
			return nil, nil, err
		}
		if k > 0 {
			empty = 0
		} else if empty++; empty > 100 {
			return nil, nil, io.ErrNoProgress
		}
	}
	return head, io.MultiReader(bytes.NewReader(head), src), nil
}

func (c *call) container(ctx context.Context, dst io.Writer, src io.Reader, name string, kind members.Kind) error {
	r := members.Rewriter{
		Copy: func(ctx context.Context, dst io.Writer, src io.Reader, name string) (string, error) {
			head, src, err := peek(src)
			if err != nil {
				return "", err
			}
			return c.text(ctx, dst, src, name, encoding.Detect(head))
		},
		Rename: func(name string) string {
			if c.f.Again {
				return name
			}
			return c.s.Name(name)
		},
		Owner: func(name string) string {
			if c.s.mapper == nil || c.f.Again {
				return name
			}
			return string(c.s.mapper.AppendUser(nil, []byte(name)))
		},
		Omitted: func(member, reason string) {
			if !c.quiet {
				c.s.ledger.add(member, &tally{}, reason) // a path, from the archive on
			}
		},
	}
	return r.Rewrite(ctx, dst, src, name, kind)
}

// text sanitizes what is no container.
func (c *call) text(ctx context.Context, dst io.Writer, src io.Reader, name string, kind encoding.Kind) (omitted string, err error) {
	if c.gate != nil {
		var wait func(error) error
		src, wait = c.gated(ctx, src, name)
		defer func() { err = wait(err) }()
	}
	if kind == encoding.Binary {
		if !c.s.allowed(name) {
			return "binary", nil
		}
		_, err := io.Copy(dst, src)
		return "", err
	}
	st := c.s.pool.Get().(*stream)
	defer c.s.pool.Put(st)
	st.reset(File{Name: name, Learn: c.f.Learn, Again: c.f.Again})
	defer func() {
		c.tally.merge(&st.tally)
		c.hidden += st.hidden
	}()
	if !kind.Wide() {
		_, _, err := st.run(ctx, dst, src)
		return "", err
	}
	w := encoding.NewWriter(dst, kind)
	if _, _, err := st.run(ctx, w, encoding.NewReader(src, kind)); err != nil {
		return "", err
	}
	return "", w.Close()
}

// allowed tells whether a binary of this name may pass unread.
func (s *Sanitizer) allowed(name string) bool {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	for _, glob := range s.opt.AllowBinary {
		glob = strings.TrimPrefix(glob, "/")
		if ok, _ := path.Match(glob, name); ok {
			return true
		}
		if !strings.Contains(glob, "/") {
			if ok, _ := path.Match(glob, path.Base(name)); ok {
				return true
			}
		}
		if dir, ok := strings.CutSuffix(glob, "/**"); ok && strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

type countReader struct {
	r io.Reader
	n int64
}

func (c *countReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(max(n, 0))
	return n, err
}

type countWriter struct {
	w io.Writer
	n int64
}

func (c *countWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(max(n, 0))
	return n, err
}
