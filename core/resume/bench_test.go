package resume

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// The same work on the bare connection and on the stream over it: what counts
// is the ratio.
func BenchmarkBulk(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		x, y := pair(b)
		bulk(b, x, y)
	})
	b.Run("stream", func(b *testing.B) {
		a, c := pair(b)
		x, y := streams(b, a, c, Options{})
		bulk(b, x, y)
	})
}

// The same below TLS, as the link is.
func BenchmarkBulkTLS(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		x, y := tlsPair(b)
		bulk(b, x, y)
	})
	b.Run("stream", func(b *testing.B) {
		a, c := tlsPair(b)
		x, y := streams(b, a, c, Options{})
		bulk(b, x, y)
	})
}

func tlsPair(b *testing.B) (x, y net.Conn) {
	b.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		b.Fatal(err)
	}
	near, far := pair(b)
	server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}})
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true}) // a benchmark
	go server.Handshake()
	if err := client.Handshake(); err != nil {
		b.Fatal(err)
	}
	return client, server
}

// What 64 bytes wait for while the other direction is full.
func BenchmarkEchoUnderBulk(b *testing.B) {
	a, c := pair(b)
	x, y := streams(b, a, c, Options{})
	go func() {
		p := make([]byte, 64<<10)
		for {
			if _, err := y.Write(p); err != nil {
				return
			}
		}
	}()
	go io.Copy(io.Discard, x)
	got := make(chan struct{}, 1)
	y.Side(func(byte, []byte) { got <- struct{}{} })
	p := make([]byte, 64)
	for b.Loop() {
		if err := x.Send(1, p); err != nil {
			b.Fatal(err)
		}
		<-got
	}
}

func bulk(b *testing.B, x, y net.Conn) {
	p := make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	done := make(chan struct{})
	n := 0
	go func() {
		defer close(done)
		q := make([]byte, 64<<10)
		for {
			m, err := y.Read(q)
			n += m
			if err != nil {
				return
			}
		}
	}()
	b.ResetTimer()
	sent := 0
	for b.Loop() {
		if _, err := x.Write(p); err != nil {
			b.Fatal(err)
		}
		sent += len(p)
	}
	x.(interface{ CloseWrite() error }).CloseWrite()
	<-done
	if n != sent {
		b.Fatalf("%d of %d bytes", n, sent)
	}
}

func BenchmarkEcho64(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		x, y := pair(b)
		echo(b, x, y)
	})
	b.Run("stream", func(b *testing.B) {
		a, c := pair(b)
		x, y := streams(b, a, c, Options{})
		echo(b, x, y)
	})
}

func echo(b *testing.B, x, y net.Conn) {
	go func() {
		q := make([]byte, 64)
		for {
			if _, err := io.ReadFull(y, q); err != nil {
				return
			}
			if _, err := y.Write(q); err != nil {
				return
			}
		}
	}()
	p := make([]byte, 64)
	for b.Loop() {
		if _, err := x.Write(p); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(x, p); err != nil {
			b.Fatal(err)
		}
	}
}
