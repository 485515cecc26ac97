package shell

import "io"

// escapes reads what is typed and finds the escapes of OpenSSH in it: a tilde
// at the beginning of a line, and the character that follows.
type escapes struct {
	r    io.Reader
	end  func()            // ~.
	tell func(text string) // ~?

	buf     []byte
	out     []byte
	started bool // something was typed since the last line end
	ended   bool
	tilde   bool // at the beginning of a line; what it means is not known yet
}

const escapeHelp = "supported escapes, at the beginning of a line:\r\n ~.  end the connection\r\n ~~  a tilde\r\n ~?  this help\r\n"

func newEscapes(r io.Reader, end func(), tell func(string)) *escapes {
	return &escapes{r: r, end: end, tell: tell, buf: make([]byte, 4096)}
}

// Read implements io.Reader. After ~. it returns io.EOF.
func (e *escapes) Read(p []byte) (int, error) {
	for len(e.out) == 0 {
		if e.ended {
			return 0, io.EOF
		}
		n, err := e.r.Read(e.buf)
		for _, b := range e.buf[:n] {
			if e.typed(b) {
				e.ended = true
				e.end()
				break
			}
		}
		if err != nil && len(e.out) == 0 {
			return 0, err
		}
	}
	n := copy(p, e.out)
	e.out = e.out[n:]
	return n, nil
}

// typed takes one character and reports whether the end was asked for.
func (e *escapes) typed(b byte) bool {
	switch {
	case e.tilde:
		e.tilde = false
		switch b {
		case '.':
			return true
		case '?':
			e.tell(escapeHelp)
			return false
		case '~':
			e.out = append(e.out, '~')
		default:
			e.out = append(e.out, '~', b)
		}
		e.started = b != '\r' && b != '\n'
	case b == '~' && !e.started:
		e.tilde = true
	default:
		e.out = append(e.out, b)
		e.started = b != '\r' && b != '\n'
	}
	return false
}
