package link

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// BenchmarkThroughput moves bytes over loopback: plain TLS as the measure, a
// link without frames, and one in frames, in both directions. Where others use
// the machine, the processor time tells more than the rate; it is that of both
// ends.
//
//	go test -run xxx -bench Throughput ./core/tunnel/link
func BenchmarkThroughput(b *testing.B) {
	const piece = 64 << 10
	move := func(b *testing.B, from, to net.Conn) {
		b.SetBytes(piece)
		done := make(chan error, 1)
		n := 0
		total := make(chan int64, 1)
		go func() {
			buf := make([]byte, piece)
			var sum int64
			for {
				n, err := to.Read(buf)
				if sum += int64(n); err != nil {
					total <- sum
					done <- err
					return
				}
			}
		}()
		go io.Copy(io.Discard, from) // the mark, and what would reset the connection
		buf := make([]byte, piece)
		cpu := used(b)
		for b.Loop() {
			if _, err := from.Write(buf); err != nil {
				b.Fatal(err)
			}
			n++
		}
		b.StopTimer()
		if w, ok := from.(interface{ CloseWrite() error }); !ok || w.CloseWrite() != nil {
			from.Close()
		}
		<-done
		b.ReportMetric((used(b)-cpu).Seconds()/(float64(n)*piece/1e9), "cpu-s/GB")
		if sum := <-total; sum != int64(n)*piece {
			b.Fatalf("%d bytes of %d arrived", sum, int64(n)*piece)
		}
	}
	b.Run("tls", func(b *testing.B) {
		a := newAuthority(b, "CA")
		ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{a.leaf}})
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		got := make(chan net.Conn, 1)
		go func() {
			c, err := ln.Accept()
			if err == nil {
				c.(*tls.Conn).Handshake()
				got <- c
			}
		}()
		near, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{RootCAs: a.pool})
		if err != nil {
			b.Fatal(err)
		}
		far := <-got
		defer far.Close()
		move(b, near, far)
	})
	for _, framed := range []bool{false, true} {
		for _, up := range []bool{true, false} {
			b.Run(fmt.Sprintf("framed=%v/up=%v", framed, up), func(b *testing.B) {
				near, far := newRelay(b).link(b, Dialer{StayFramed: framed})
				if up {
					move(b, near, far)
				} else {
					move(b, far, near)
				}
			})
		}
	}
}

// used is the processor time of this process.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
