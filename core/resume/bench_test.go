package resume

import (
	"io"
	"net"
	"testing"
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
