package msg

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// MaxLine is the longest line, with its newline.
const MaxLine = 16 << 10

// prefix begins each line.
const prefix = `{"type":"`

// ErrSyntax is wrapped by the errors about lines that are no messages.
var ErrSyntax = errors.New("not a message of the tunnel")

func syntax(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrSyntax, fmt.Errorf(format, args...))
}

// Append appends the line of m to b.
func Append(b []byte, m Message) ([]byte, error) {
	if err := m.check(); err != nil {
		return b, fmt.Errorf("message %s: %w", m.kind(), err)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return b, fmt.Errorf("message %s: %w", m.kind(), err)
	}
	b = append(b, prefix...)
	b = append(b, m.kind()...)
	b = append(b, '"')
	if len(body) > 2 {
		b = append(b, ',')
	}
	b = append(b, body[1:]...)
	return append(b, '\n'), nil
}

// Write sends the line of m in one Write.
func Write(w io.Writer, m Message) error {
	b, err := Append(nil, m)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Parse reads a line, without its newline.
func Parse(line []byte) (Message, error) {
	rest, ok := bytes.CutPrefix(line, []byte(prefix))
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 0 || end > 32 || len(line) >= MaxLine {
		return nil, syntax("it begins with %.40q", line)
	}
	kind, rest := string(rest[:end]), rest[end+1:]
	m := empty(kind)
	if m == nil {
		return nil, syntax("unknown type %.40q", kind)
	}
	body := make([]byte, 0, len(rest)+1)
	body = append(body, '{')
	switch {
	case len(rest) > 1 && rest[0] == ',' && rest[1] == '"':
		body = append(body, rest[1:]...)
	case string(rest) == "}":
		body = append(body, '}')
	default:
		return nil, syntax("%s goes on with %.40q", kind, rest)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, syntax("%s: %w", kind, err)
	}
	if d.InputOffset() != int64(len(body)) {
		return nil, syntax("%s: something follows the object", kind)
	}
	if err := m.check(); err != nil {
		return nil, syntax("%s: %w", kind, err)
	}
	return m, nil
}

// Reader reads messages from a connection and not a byte behind them.
type Reader struct {
	r   io.Reader
	one [1]byte
}

// NewReader makes a Reader. It needs no release; when it is not used any more,
// the connection's next byte is the first behind the last message.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// lines are the buffers of lines that are being read: none is held before the
// first byte of a line is there.
var lines = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

// Next reads one message. io.EOF means that the connection ended between two.
// After a deadline within a line the connection is of no use any more.
func (r *Reader) Next() (Message, error) {
	if err := r.read(); err != nil {
		return nil, err
	}
	buf := lines.Get().(*[]byte)
	line := (*buf)[:0]
	defer func() {
		if cap(line) <= 4096 {
			*buf = line
			lines.Put(buf)
		}
	}()
	for r.one[0] != '\n' {
		if line = append(line, r.one[0]); len(line) >= MaxLine {
			return nil, syntax("a line of more than %d bytes", MaxLine)
		}
		if err := r.read(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return Parse(line)
}

// read reads one byte.
func (r *Reader) read() error {
	_, err := io.ReadFull(r.r, r.one[:])
	return err
}
