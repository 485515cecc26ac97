package server

import (
	"io"
	"net"
	"testing"
)

// What a connection that is no plain socket costs: the same bytes through a
// pump, and through a plain connection in the same run.
func BenchmarkPump(b *testing.B) {
	for _, way := range []string{"plain", "pumped"} {
		b.Run(way, func(b *testing.B) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer ln.Close()
			go func() {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				io.Copy(io.Discard, conn)
				conn.Close()
			}()
			conn, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			if way == "pumped" {
				f, err := startPump(wrapped{conn}, nil)
				if err != nil {
					b.Fatal(err)
				}
				if conn, err = net.FileConn(f); err != nil {
					b.Fatal(err)
				}
				f.Close()
			}
			buf := make([]byte, 256<<10)
			b.SetBytes(int64(len(buf)))
			for b.Loop() {
				if _, err := conn.Write(buf); err != nil {
					b.Fatal(err)
				}
			}
			conn.Close()
		})
	}
}
