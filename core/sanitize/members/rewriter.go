package members

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Limits bound what a container may cost. Zero fields have defaults.
type Limits struct {
	Depth   int   // containers inside each other; 3
	Ratio   int64 // bytes that come out of a byte, beyond the first 64 MB; 250
	Bytes   int64 // that come out of one top-level file; 16 GB
	Members int   // in all archives of one top-level file; 100000
	Memory  int   // of a spool before it goes to a file; 256 KB
	Window  int64 // memory a decoder may ask for; 64 MB
}

// free is what may come out whatever the ratio is.
const free = 64 << 20

func (l Limits) withDefaults() Limits {
	set := func(p *int64, v int64) {
		if *p <= 0 {
			*p = v
		}
	}
	if l.Depth <= 0 {
		l.Depth = 3
	}
	if l.Members <= 0 {
		l.Members = 100000
	}
	if l.Memory <= 0 {
		l.Memory = 256 << 10
	}
	set(&l.Ratio, 250)
	set(&l.Bytes, 16<<30)
	set(&l.Window, 64<<20)
	return l
}

// A Rewriter sanitizes what is inside containers. It is safe for concurrent
// use if its functions are.
type Rewriter struct {
	// Copy sanitizes content that is no container (it was detected). A
	// reason, such as "binary", leaves the content out. Required.
	Copy func(ctx context.Context, dst io.Writer, src io.Reader, name string) (omitted string, err error)
	// Rename gives the name that a path in an archive, or a link's target,
	// will have. Nil keeps names.
	Rename func(path string) string
	// Owner gives the name of a user or group in a tar header, those that
	// every machine has (root) excepted. Nil drops it.
	Owner func(name string) string
	// Omitted is told what was left out of an archive and why. The name is
	// the renamed one. May be nil.
	Omitted func(name, reason string)
	// Temp makes the file of a spool, which the Rewriter closes. Nil makes
	// one in the default directory, already removed.
	Temp func() (*os.File, error)
	Limits
}

// An OmitError says that a container must be left out as a whole.
type OmitError struct {
	Name   string
	Reason string
}

// Error names the file and the reason, and nothing of the content.
func (e *OmitError) Error() string { return fmt.Sprintf("leave out %s: %s", e.Name, e.Reason) }

// Rewrite reads the container src of the given kind, whose name is name, and
// writes its sanitized form to dst. The error is an [OmitError] if the
// container must be left out; else it comes from src, dst, Copy or the context.
// After any error what was written is worthless. If dst is [io.Discard] all is
// read and handed to Copy, and the work of packing is saved.
func (r *Rewriter) Rewrite(ctx context.Context, dst io.Writer, src io.Reader, name string, kind Kind) error {
	j := &job{Rewriter: r, Limits: r.Limits.withDefaults(), ctx: ctx, readOnly: dst == io.Discard}
	err := j.container(dst, &source{j: j, r: src}, name, kind, 1)
	if j.hard != nil {
		return j.hard
	}
	if j.spent != "" {
		return &OmitError{name, j.spent}
	}
	return err
}

// job is one call of Rewrite.
type job struct {
	*Rewriter
	Limits
	ctx      context.Context
	readOnly bool   // nothing is packed
	in       int64  // bytes read from the top-level file
	decoded  int64  // bytes that decoders gave
	content  int64  // bytes of members
	members  int    // in all archives
	hard     error  // of the source or the context: not the file's fault
	spent    string // which limit was hit; ends everything
}

// source counts what is read and keeps real errors apart from broken files.
type source struct {
	j *job
	r io.Reader
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.j.ctx.Err(); err != nil {
		s.j.hard = err
		return 0, err
	}
	n, err := s.r.Read(p)
	s.j.in += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		s.j.hard = err
	}
	return n, err
}

// meter holds one layer of what comes out to the limits, and remembers that
// the layer is broken even if its reader forgets.
type meter struct {
	j     *job
	r     io.Reader
	count *int64
	fault error
}

var errSpent = errors.New("limit reached")

func (m *meter) Read(p []byte) (int, error) {
	j := m.j
	if m.fault != nil {
		return 0, m.fault
	}
	if err := j.ctx.Err(); err != nil {
		j.hard, m.fault = err, err
		return 0, err
	}
	n, err := m.r.Read(p)
	*m.count += int64(n)
	switch {
	case j.spent != "":
	case *m.count > j.Bytes:
		j.spent = fmt.Sprintf("expands to more than %d bytes", j.Bytes)
	case *m.count > free && *m.count/j.Ratio > j.in:
		j.spent = fmt.Sprintf("expands to more than %d times its size", j.Ratio)
	}
	if j.spent != "" {
		m.fault = errSpent
		return 0, m.fault
	}
	if err != nil && !errors.Is(err, io.EOF) {
		m.fault = err
	}
	return n, err
}

func (j *job) omit(name, reason string) {
	if j.Omitted != nil {
		j.Omitted(name, reason)
	}
}

// container rewrites src, which is of kind and depth containers deep.
func (j *job) container(dst io.Writer, src io.Reader, name string, kind Kind, depth int) error {
	if depth > j.Depth {
		return &OmitError{name, fmt.Sprintf("nested more than %d deep", j.Depth)}
	}
	switch kind {
	case Tar:
		return j.tar(dst, src, name, depth)
	case Zip:
		return j.zip(dst, src, name, depth)
	case Gzip, XZ, Zstd, Bzip2:
		return j.compressed(dst, src, name, kind, depth)
	case Foreign:
		return &OmitError{name, "an archive of a kind that is not opened"}
	}
	return &OmitError{name, "no archive"}
}

// anything sanitizes content of any kind that is depth containers deep. A
// reason means that it must be left out.
func (j *job) anything(dst io.Writer, src io.Reader, name string, depth int) (reason string, err error) {
	br := bufio.NewReaderSize(src, 4<<10)
	head, _ := br.Peek(DetectSize) // an error comes again when reading
	kind := Detect(name, head)
	if kind == None {
		return j.Copy(j.ctx, dst, br, name)
	}
	err = j.container(dst, br, name, kind, depth+1)
	if o := (*OmitError)(nil); errors.As(err, &o) {
		return o.Reason, nil
	}
	return "", err
}

// compressed rewrites a file of one compressed stream.
func (j *job) compressed(dst io.Writer, src io.Reader, name string, kind Kind, depth int) error {
	dec, mtime, err := j.decoder(src, kind)
	if err != nil {
		return j.damaged(name, kind, err)
	}
	defer dec.Close()
	m := &meter{j: j, r: dec, count: &j.decoded}
	inner := innerName(name, kind)
	enc, err := j.encoder(dst, kind, mtime)
	if err != nil {
		return fmt.Errorf("compress %s: %w", name, err)
	}
	br := bufio.NewReaderSize(m, 4<<10)
	head, _ := br.Peek(DetectSize)
	var reason string
	if k := Detect(inner, head); k == Tar { // a compressed tar is one container
		err = j.container(enc, br, inner, Tar, depth)
		if o := (*OmitError)(nil); errors.As(err, &o) {
			reason, err = o.Reason, nil
		}
	} else {
		reason, err = j.anything(enc, br, inner, depth)
	}
	if m.fault == nil && err == nil && reason == "" {
		// The end of the stream holds its checksum.
		if _, tail := io.Copy(io.Discard, br); tail != nil && m.fault == nil {
			m.fault = tail
		}
	}
	if m.fault != nil {
		enc.Close()
		return j.damaged(name, kind, m.fault)
	}
	if reason != "" {
		enc.Close()
		return &OmitError{name, reason}
	}
	if cerr := enc.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("rewrite %s: %w", name, err)
	}
	return nil
}

// damaged gives the error for a layer that cannot be read. What a decoder says
// may quote what it read and is not passed on.
func (j *job) damaged(name string, kind Kind, cause error) error {
	switch {
	case j.hard != nil:
		return j.hard
	case j.spent != "":
		return &OmitError{name, j.spent}
	case errors.Is(cause, errWindow):
		return &OmitError{name, "needs more memory to decode than allowed"}
	}
	return &OmitError{name, "damaged or not " + kind.String()}
}
