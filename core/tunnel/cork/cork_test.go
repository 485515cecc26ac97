package cork

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// counted counts calls that reach the kernel.
type counted struct {
	net.Conn
	reads, writes atomic.Int64
}

func (c *counted) Read(p []byte) (int, error)  { c.reads.Add(1); return c.Conn.Read(p) }
func (c *counted) Write(p []byte) (int, error) { c.writes.Add(1); return c.Conn.Write(p) }

// pair is a TLS connection over TCP, both ends corked.
func pair(t testing.TB) (a, b *Conn, below [2]*counted) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	near, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	below = [2]*counted{{Conn: near}, {Conn: far}}
	x, y := New(below[0]), New(below[1])
	server := tls.Server(y, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}})
	client := tls.Client(x, &tls.Config{InsecureSkipVerify: true}) // a test
	go server.Handshake()
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	a, b = Over(client, x), Over(server, y)
	t.Cleanup(func() { near.Close(); far.Close() })
	return a, b, below
}

func TestLargeWritesGoTogether(t *testing.T) {
	a, b, below := pair(t)
	sent := make([]byte, 8<<20)
	rand.Read(sent)
	before := below[0].writes.Load()
	go func() {
		for p := sent; len(p) > 0; {
			n, err := a.Write(p[:min(len(p), 300_000)])
			if err != nil {
				t.Error(err)
			}
			p = p[n:]
		}
		a.CloseWrite()
	}()
	got, err := io.ReadAll(b)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes, equal %v, %v", len(got), len(sent), bytes.Equal(got, sent), err)
	}
	if n := below[0].writes.Load() - before; n > 3*8<<20/300_000+10 {
		t.Errorf("%d writes for 8 MiB", n)
	}
}

func TestBothWaysAtOnce(t *testing.T) {
	a, b, _ := pair(t)
	const size = 4 << 20
	ends := make(chan error, 4)
	for _, c := range []*Conn{a, b} {
		go func() {
			for n := 0; n < size; n += 100_000 {
				if _, err := c.Write(make([]byte, 100_000)); err != nil {
					ends <- err
					return
				}
				c.Write([]byte("small")) // in between
			}
			ends <- c.CloseWrite()
		}()
		go func() {
			_, err := io.Copy(io.Discard, c)
			ends <- err
		}()
	}
	for range 4 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
}

// What is small goes at once, and costs no buffer.
func TestSmall(t *testing.T) {
	a, b, below := pair(t)
	for range 100 {
		before := below[0].writes.Load()
		if _, err := a.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if below[0].writes.Load() != before+1 {
			t.Fatal("a small write is held back")
		}
		if _, err := io.ReadFull(b, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
	}
	if b.below.buf != nil || a.below.held != nil {
		t.Error("it keeps a buffer")
	}
}

// A write into a connection that nobody reads can be timed out and closed, and
// nothing can be written after it.
func TestStuck(t *testing.T) {
	a, _, _ := pair(t)
	a.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	_, err := a.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	a.SetWriteDeadline(time.Time{})
	for _, n := range []int{10, 100_000} {
		if _, err := a.Write(make([]byte, n)); err == nil {
			t.Errorf("after a write that failed %d bytes are taken", n)
		}
	}

	a, _, _ = pair(t)
	done := make(chan error, 1)
	go func() { _, err := a.Write(make([]byte, 64<<20)); done <- err }()
	time.Sleep(50 * time.Millisecond)
	began := time.Now()
	a.Close()
	if err := <-done; err == nil || time.Since(began) > 2*time.Second {
		t.Errorf("closed after %s with %v", time.Since(began), err)
	}
}

// A read that times out loses nothing.
func TestReadDeadline(t *testing.T) {
	a, b, _ := pair(t)
	go func() {
		for range 50 {
			a.Write(make([]byte, 200_000))
			time.Sleep(2 * time.Millisecond)
		}
		a.CloseWrite()
	}()
	total, timeouts := 0, 0
	p := make([]byte, 64<<10)
	for {
		b.SetReadDeadline(time.Now().Add(time.Millisecond))
		n, err := b.Read(p)
		total += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			timeouts++
			continue
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if total != 50*200_000 {
		t.Errorf("%d bytes, with %d time-outs", total, timeouts)
	}
}
