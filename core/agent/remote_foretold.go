package agent

import (
	"errors"
	"io"
	"net"
)

// foretold is a stream of which the first line is known before it comes: the
// version with which SSH begins. SSH gets it at once, so that what it says in
// answer leaves with the word that the engineer may come in; when the line comes
// it must be the same. SSH itself makes sure of that once more: both ends put
// it into what the host key signs.
type foretold struct {
	net.Conn
	give, expect []byte
}

// errForetold ends a stream that begins otherwise than it was said to.
var errForetold = errors.New("the engineer's program speaks another version of SSH than it said it would")

func foretell(conn net.Conn, version string) net.Conn {
	if version == "" {
		return conn
	}
	line := []byte(version + "\r\n")
	return &foretold{Conn: conn, give: line, expect: line}
}

// Read is called by one goroutine at a time.
func (f *foretold) Read(p []byte) (int, error) {
	if len(f.give) > 0 {
		n := copy(p, f.give)
		f.give = f.give[n:]
		return n, nil
	}
	if len(f.expect) > 0 {
		came := make([]byte, len(f.expect))
		if _, err := io.ReadFull(f.Conn, came); err != nil {
			return 0, err
		}
		if string(came) != string(f.expect) {
			return 0, errForetold
		}
		f.expect = nil
	}
	return f.Conn.Read(p)
}
