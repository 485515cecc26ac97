package plugintest

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
)

// WebSocket is the dialogue of a reverse proxy that takes a tunnel in binary
// WebSocket frames (RFC 6455). The target is the last element of the path. It
// takes whatever credentials come. WebSocket ends both directions together:
// the case half-close is to be skipped.
func WebSocket(conn net.Conn) (net.Conn, string, error) {
	br := bufio.NewReader(conn) // the client sends nothing before our answer
	req, err := http.ReadRequest(br)
	if err != nil {
		return nil, "", err
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	return &frames{Conn: conn, br: br}, path.Base(req.URL.Path), err
}

// frames is a server's WebSocket that knows binary frames.
type frames struct {
	net.Conn
	br   *bufio.Reader
	mask [4]byte
	left uint64
	at   int
}

func (f *frames) Write(p []byte) (int, error) {
	head := []byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 0}
	switch {
	case len(p) < 126:
		head = []byte{0x82, byte(len(p))}
	case len(p) < 1<<16:
		head = binary.BigEndian.AppendUint16([]byte{0x82, 126}, uint16(len(p)))
	default:
		binary.BigEndian.PutUint64(head[2:], uint64(len(p)))
	}
	if _, err := f.Conn.Write(append(head, p...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *frames) Read(p []byte) (int, error) {
	for f.left == 0 {
		var head [2]byte
		if _, err := io.ReadFull(f.br, head[:]); err != nil {
			return 0, err
		}
		f.left = uint64(head[1] & 0x7f)
		more := map[uint64]int{126: 2, 127: 8}[f.left]
		var size [8]byte
		if _, err := io.ReadFull(f.br, size[8-more:]); err != nil {
			return 0, err
		}
		if more > 0 {
			f.left = binary.BigEndian.Uint64(size[:])
		}
		if _, err := io.ReadFull(f.br, f.mask[:]); err != nil {
			return 0, err
		}
		f.at = 0
		if head[0]&0x0f == 8 {
			return 0, io.EOF
		}
	}
	n, err := f.br.Read(p[:min(uint64(len(p)), f.left)])
	for i := range p[:n] {
		p[i] ^= f.mask[f.at%4]
		f.at++
	}
	f.left -= uint64(n)
	return n, err
}
