package host

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/latchstring/latchstring/internal/wire/pluginv1"
)

// BenchmarkHandoff moves bytes to a server over three kinds of connections and
// compares them in the same run: one that a transport plugin dialled and handed
// over, one that the host dialled itself, and, for what we left behind, a gRPC
// stream over a Unix socket as a plugin would proxy it.
//
//	go test -run '^$' -bench Handoff -benchtime 1x ./core/host
//
// It prints the ratio of handed over to own dial, the best of many short rounds
// of each, which alternate: what else the machine does only ever slows a round
// down. The goal is 0.9.
func BenchmarkHandoff(b *testing.B) {
	const (
		rounds = 20
		amount = 256 << 20
	)
	bn := newBench(b)
	addr := sink(b)
	tr := bn.transport(b, "good", nil)
	handed := func() net.Conn {
		d, err := dial(b, tr, addr)
		if err != nil {
			b.Fatal(err)
		}
		return d.Conn
	}
	own := func() net.Conn {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	for b.Loop() {
		var h, o float64
		for range rounds {
			h = max(h, pour(b, handed(), amount))
			o = max(o, pour(b, own(), amount))
		}
		g := stream(b, amount)
		b.ReportMetric(h/o, "handoff/own-dial")
		b.ReportMetric(h, "handoff-MB/s")
		b.ReportMetric(g, "grpc-MB/s")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStart takes a plugin from nothing to its first answer.
func BenchmarkStart(b *testing.B) {
	bn := newBench(b)
	for b.Loop() {
		tr, err := bn.Transport("good", TransportUse{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tr.Info(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		tr.Close()
		b.StartTimer()
	}
}

// sink is a server that swallows what it gets.
func sink(b *testing.B) string {
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", 20000+os.Getpid()%3999))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 256<<10)
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// pour writes amount bytes to c and returns MB/s.
func pour(b *testing.B, c net.Conn, amount int) float64 {
	defer c.Close()
	buf := bytes.Repeat([]byte{7}, 64<<10)
	start := time.Now()
	for sent := 0; sent < amount; sent += len(buf) {
		if _, err := c.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	return float64(amount) / 1e6 / time.Since(start).Seconds()
}

// stream sends the same amount as messages of 64 KiB over gRPC.
func stream(b *testing.B, amount int) float64 {
	path := b.TempDir() + "/s"
	l, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	srv := grpc.NewServer()
	pluginv1.RegisterAuthServer(srv, swallow{})
	go srv.Serve(l)
	defer srv.Stop()
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	s, err := pluginv1.NewAuthClient(conn).Authenticate(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	message := &pluginv1.AuthFromHost{Message: &pluginv1.AuthFromHost_Answer{
		Answer: &pluginv1.AuthAnswer{Values: map[string][]byte{"x": bytes.Repeat([]byte{7}, 64<<10)}},
	}}
	start := time.Now()
	for sent := 0; sent < amount; sent += 64 << 10 {
		if err := s.Send(message); err != nil {
			b.Fatal(err)
		}
	}
	s.CloseSend()
	s.Recv()
	return float64(amount) / 1e6 / time.Since(start).Seconds()
}

type swallow struct {
	pluginv1.UnimplementedAuthServer
}

func (swallow) Authenticate(s pluginv1.Auth_AuthenticateServer) error {
	for {
		if _, err := s.Recv(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
