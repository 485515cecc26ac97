package plugintest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// CONNECT is the dialogue of an HTTP proxy: a CONNECT request, answered by 200.
// It takes whatever credentials come.
func CONNECT(conn net.Conn) (net.Conn, string, error) {
	req, err := http.ReadRequest(bufio.NewReader(oneByte{conn}))
	if err != nil {
		return nil, "", err
	}
	if req.Method != http.MethodConnect {
		return nil, "", fmt.Errorf("method %s, want CONNECT", req.Method)
	}
	_, err = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\nVia: 1.1 plugintest\r\n\r\n")
	return conn, req.Host, err
}

// SOCKS5 is the dialogue of RFC 1928, with a user and password (RFC 1929) if
// the client offers them. It takes whatever credentials come.
func SOCKS5(conn net.Conn) (net.Conn, string, error) {
	target, err := socks5(conn)
	return conn, target, err
}

func socks5(conn net.Conn) (string, error) {
	buf := make([]byte, 512)
	read := func(n int) ([]byte, error) {
		_, err := io.ReadFull(conn, buf[:n])
		return buf[:n], err
	}
	head, err := read(2)
	if err != nil || head[0] != 5 {
		return "", fmt.Errorf("no SOCKS5 greeting: %x, %w", head, orEOF(err))
	}
	methods, err := read(int(head[1]))
	if err != nil {
		return "", err
	}
	method := byte(0)
	if bytes.IndexByte(methods, 2) >= 0 {
		method = 2
	}
	if _, err := conn.Write([]byte{5, method}); err != nil {
		return "", err
	}
	if method == 2 {
		for i := range 2 { // version and user, then password
			n, err := read(2 - i)
			if err != nil {
				return "", err
			}
			if _, err := read(int(n[len(n)-1])); err != nil {
				return "", err
			}
		}
		if _, err := conn.Write([]byte{1, 0}); err != nil {
			return "", err
		}
	}
	req, err := read(4)
	if err != nil || req[0] != 5 || req[1] != 1 {
		return "", fmt.Errorf("no SOCKS5 connect: %x, %w", req, orEOF(err))
	}
	var host string
	switch req[3] {
	case 1, 4:
		size := 4
		if req[3] == 4 {
			size = 16
		}
		addr, err := read(size)
		if err != nil {
			return "", err
		}
		host = net.IP(bytes.Clone(addr)).String()
	case 3:
		n, err := read(1)
		if err != nil {
			return "", err
		}
		name, err := read(int(n[0]))
		if err != nil {
			return "", err
		}
		host = string(name)
	default:
		return "", fmt.Errorf("unknown SOCKS5 address type %d", req[3])
	}
	port, err := read(2)
	if err != nil {
		return "", err
	}
	target := net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port))))
	_, err = conn.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 0})
	return target, err
}

func orEOF(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// oneByte keeps a bufio.Reader from reading beyond the request.
type oneByte struct{ net.Conn }

func (o oneByte) Read(p []byte) (int, error) {
	if len(p) > 1 {
		p = p[:1]
	}
	return o.Conn.Read(p)
}

// manners are how the suite's proxy behaves. It gets a connection and owns it.
type manners func(c *check, conn net.Conn)

// proxy starts the suite's proxy, if the transport needs one, and returns its
// address.
func (c *check) proxy(m manners) string {
	c.Helper()
	if c.opts.Proxy == nil {
		return ""
	}
	return c.listen(func(conn net.Conn) { m(c, conn) })
}

// listen serves connections on loopback until the case ends.
func (c *check) listen(serve func(net.Conn)) string {
	c.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatalf("%v", err)
	}
	var mu sync.Mutex
	open := make(map[net.Conn]bool)
	over := false
	c.Cleanup(func() {
		ln.Close()
		mu.Lock()
		defer mu.Unlock()
		over = true
		for conn := range open {
			conn.Close()
		}
	})
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			if over {
				conn.Close()
			}
			open[conn] = true
			mu.Unlock()
			go func() {
				defer func() {
					conn.Close()
					mu.Lock()
					delete(open, conn)
					mu.Unlock()
				}()
				serve(conn)
			}()
		}
	}()
	return ln.Addr().String()
}

// wellBehaved does its job.
func wellBehaved(c *check, conn net.Conn) {
	if through, target, err := c.opts.Proxy(conn); err == nil {
		splice(through, target, nil)
	}
}

// eager sends the target's first bytes in one piece with the proxy's answer.
func eager(c *check, conn net.Conn) {
	held := &holdBack{Conn: conn}
	if through, target, err := c.opts.Proxy(held); err == nil {
		splice(through, target, held)
	}
}

// slow sends its answers byte by byte.
func slow(c *check, conn net.Conn) {
	through, target, err := c.opts.Proxy(dribble{conn})
	if err == nil {
		splice(through, target, nil)
	}
}

type dribble struct{ net.Conn }

func (d dribble) Write(p []byte) (int, error) {
	for i := range p {
		if i < 64 { // then as fast as bytes go
			time.Sleep(time.Millisecond)
		}
		if _, err := d.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

func (d dribble) CloseWrite() error { return closeWrite(d.Conn) }

// holdBack keeps what is written until the next read, or until release.
type holdBack struct {
	net.Conn
	mu   sync.Mutex
	held []byte
	free bool
}

func (h *holdBack) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.free {
		return h.Conn.Write(p)
	}
	h.held = append(h.held, p...)
	return len(p), nil
}

func (h *holdBack) Read(p []byte) (int, error) {
	if err := h.flush(false); err != nil {
		return 0, err
	}
	return h.Conn.Read(p)
}

// flush writes what is held in one piece, and with free all that follows
// at once.
func (h *holdBack) flush(free bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.free = h.free || free
	if len(h.held) == 0 {
		return nil
	}
	_, err := h.Conn.Write(h.held)
	h.held = nil
	return err
}

func (h *holdBack) CloseWrite() error { return h.Conn.(*net.TCPConn).CloseWrite() }

// splice joins through and the target. With something held back it waits for
// the target's first bytes and sends both together.
func splice(through net.Conn, target string, held *holdBack) {
	up, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		return
	}
	defer up.Close()
	if held != nil {
		buf := make([]byte, 64<<10)
		n, _ := up.Read(buf)
		if _, err := through.Write(buf[:n]); err != nil || held.flush(true) != nil {
			return
		}
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{through, up}, {up, through}} {
		both.Go(func() {
			io.Copy(plainly{way[0]}, plainly{way[1]})
			if cw, ok := way[0].(interface{ CloseWrite() error }); ok {
				cw.CloseWrite()
			} else {
				way[0].Close()
			}
		})
	}
	both.Wait()
}

// plainly hides that a connection can splice: the pipes which that takes stay
// around for a while, and would look like a leak.
type plainly struct{ io.ReadWriter }

// silent takes the connection and says nothing.
func silent(_ *check, conn net.Conn) { io.Copy(io.Discard, conn) }

// stutters speaks, but stops for ever after n bytes of its answers.
func stutters(n int) manners {
	return func(c *check, conn net.Conn) {
		left := n
		c.opts.Proxy(&cut{Conn: conn, left: &left})
		io.Copy(io.Discard, conn)
	}
}

// hangsUp speaks, and closes after n bytes of its answers: with a reset.
func hangsUp(n int) manners {
	return func(c *check, conn net.Conn) {
		left := n
		if n > 0 {
			c.opts.Proxy(&cut{Conn: conn, left: &left})
		}
		conn.(*net.TCPConn).SetLinger(0)
	}
}

// cut fails what is written after the first left bytes.
type cut struct {
	net.Conn
	left *int
}

func (k *cut) Write(p []byte) (int, error) {
	n := min(len(p), *k.left)
	*k.left -= n
	if _, err := k.Conn.Write(p[:n]); err != nil {
		return 0, err
	}
	if n < len(p) {
		return n, net.ErrClosed // the dialogue ends here
	}
	return n, nil
}

// babbles answers with text, as far as it is wanted, and closes.
func babbles(text string) manners {
	return func(_ *check, conn net.Conn) {
		go io.Copy(io.Discard, conn)
		conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
		io.Copy(conn, strings.NewReader(text))
		conn.(*net.TCPConn).CloseWrite()
		conn.SetReadDeadline(time.Now().Add(time.Second))
		io.Copy(io.Discard, conn)
	}
}
