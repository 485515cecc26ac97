package hostile

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"net"
	"slices"
	"strings"
	"sync"
)

// tape is everything that the relay has seen, each direction of each connection
// by itself, and each both as it came out of TLS and as it came out of the
// frames.
type tape struct {
	mu    sync.Mutex
	reels []*reel
}

// reel is one direction of one connection.
type reel struct {
	what string
	b    []byte
}

func (t *tape) reel(what string) *reel {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &reel{what: what}
	t.reels = append(t.reels, r)
	return r
}

func (t *tape) add(r *reel, p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.b = append(r.b, p...)
}

// size is how many bytes are kept.
func (t *tape) size() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.reels {
		n += len(r.b)
	}
	return n
}

// find says where a needle stands, in any of the ways in which one could look
// for it, or returns "".
func (t *tape) find(needle string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for how, forms := range guises(needle) {
		for _, f := range forms {
			for _, r := range t.reels {
				if bytes.Contains(r.b, f) {
					return r.what + ", " + how
				}
			}
		}
	}
	return ""
}

// guises are the forms of a needle: as it is, backwards, in base64 (at each of
// three places within a longer text) and in hexadecimal digits.
func guises(needle string) map[string][][]byte {
	plain := []byte(needle)
	back := slices.Clone(plain)
	slices.Reverse(back)
	out := map[string][][]byte{
		"as it is":     {plain, []byte(strings.ToLower(needle)), []byte(strings.ToUpper(needle))},
		"backwards":    {back},
		"in digits":    {[]byte(hex.EncodeToString(plain)), []byte(strings.ToUpper(hex.EncodeToString(plain)))},
		"as UTF-16":    {utf16(plain)},
		"every letter": {[]byte(strings.Join(strings.Split(needle, ""), " "))},
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for at := range 3 {
			text := enc.EncodeToString(append(make([]byte, at), plain...))
			// The first and the last letters depend on what stands around it.
			text = text[(at*8+5)/6:]
			if tail := (at + len(plain)) % 3; tail != 0 {
				text = text[:len(text)-1]
			}
			out["in base64"] = append(out["in base64"], []byte(text))
		}
	}
	return out
}

func utf16(p []byte) []byte {
	out := make([]byte, 0, 2*len(p))
	for _, c := range p {
		out = append(out, c, 0)
	}
	return out
}

// taped is a connection that is kept on tape.
type taped struct {
	net.Conn
	t       *tape
	in, out *reel
}

func (t *tape) conn(c net.Conn, what string) *taped {
	return &taped{Conn: c, t: t, in: t.reel(what + " to the relay"), out: t.reel(what + " from the relay")}
}

func (c *taped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.t.add(c.in, p[:n])
	return n, err
}

func (c *taped) Write(p []byte) (int, error) {
	c.t.add(c.out, p)
	return c.Conn.Write(p)
}

// NetConn is what is below TLS.
func (c *taped) NetConn() net.Conn {
	if t, ok := c.Conn.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nil
}

// CloseWrite ends the outgoing direction where that can be said.
func (c *taped) CloseWrite() error {
	if h, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return c.Close()
}
