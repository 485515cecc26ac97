package access

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// Measurements: `go test -run - -bench . ./core/access/`. The peer of each
// transfer is x/crypto/ssh in the same process, so the two ends share the machine.

// benchBytes is what each transfer moves.
const benchBytes = 256 << 20

func BenchmarkThroughput(b *testing.B) {
	s := newSite(b)
	for _, n := range []int{1, 8} {
		b.Run(fmt.Sprintf("command/%d", n), func(b *testing.B) {
			transfers(b, s, n, fmt.Sprintf("dd if=/dev/zero bs=1M count=%d status=none", benchBytes/n>>20))
		})
	}
	// The same through a forward: no process, no recording.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.CopyN(c, zero{}, benchBytes); c.Close() }()
		}
	}()
	b.Run("forward/1", func(b *testing.B) {
		c := s.client()
		defer cpu(b)()
		for b.Loop() {
			conn, err := c.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, conn); n != benchBytes {
				b.Fatal(n, err)
			}
			conn.Close()
		}
	})
	b.Run("scp -O/1", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "f")
		f, _ := os.Create(file)
		f.Truncate(benchBytes)
		f.Close()
		defer cpu(b)()
		for b.Loop() {
			if out, err := s.tool("scp", "-q", "-O", "sa:"+file, "/dev/null").CombinedOutput(); err != nil {
				b.Fatal(err, string(out))
			}
		}
	})
	b.Run("scp/1", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "f")
		f, _ := os.Create(file)
		f.Truncate(benchBytes)
		f.Close()
		defer cpu(b)()
		for b.Loop() {
			if out, err := s.tool("scp", "-q", "sa:"+file, "/dev/null").CombinedOutput(); err != nil {
				b.Fatal(err, string(out))
			}
		}
	})
	b.Run("ssh/1", func(b *testing.B) {
		defer cpu(b)()
		for b.Loop() {
			cmd := s.tool("ssh", "sa", fmt.Sprintf("dd if=/dev/zero bs=1M count=%d status=none", benchBytes>>20))
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLibrary is x/crypto/ssh alone, as it comes: what there is to reach.
func BenchmarkLibrary(b *testing.B) {
	k := newKeys(b)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		cfg := &ssh.ServerConfig{NoClientAuth: true}
		cfg.Ciphers = []string{ssh.CipherAES128GCM}
		cfg.AddHostKey(k.host)
		_, chans, reqs, err := ssh.NewServerConn(c, cfg)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(reqs)
		for n := range chans {
			ch, reqs, _ := n.Accept()
			go ssh.DiscardRequests(reqs)
			buf := make([]byte, bufferSize)
			go func() {
				for sent := 0; sent < benchBytes; sent += len(buf) {
					ch.Write(buf)
				}
				ch.Close()
			}()
		}
	}()
	c, err := ssh.Dial("tcp", l.Addr().String(), &ssh.ClientConfig{HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	defer cpu(b)()
	for b.Loop() {
		ch, reqs, err := c.OpenChannel("x", nil)
		if err != nil {
			b.Fatal(err)
		}
		go ssh.DiscardRequests(reqs)
		if n, err := io.Copy(io.Discard, ch); n != benchBytes {
			b.Fatal(n, err)
		}
	}
}

func transfers(b *testing.B, s *site, n int, line string) {
	c := s.client()
	defer cpu(b)()
	for b.Loop() {
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				sess, err := c.NewSession()
				if err != nil {
					b.Error(err)
					return
				}
				defer sess.Close()
				sess.Stdout = io.Discard
				if err := sess.Run(line); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// BenchmarkEcho is 64 bytes there and back through a terminal-less `cat`.
func BenchmarkEcho(b *testing.B) {
	s := newSite(b)
	sess, err := s.client().NewSession()
	if err != nil {
		b.Fatal(err)
	}
	in, _ := sess.StdinPipe()
	out, _ := sess.StdoutPipe()
	if err := sess.Start("cat"); err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 64)
	for b.Loop() {
		in.Write(p)
		if _, err := io.ReadFull(out, p); err != nil {
			b.Fatal(err)
		}
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// cpu reports the throughput, and the processor time of both ends, which on a
// busy machine tells more.
func cpu(b *testing.B) func() {
	used := func() (t time.Duration) {
		for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
			var r unix.Rusage
			_ = unix.Getrusage(who, &r)
			t += time.Duration(r.Utime.Nano() + r.Stime.Nano())
		}
		return t
	}
	b.SetBytes(benchBytes)
	start := used()
	return func() {
		b.ReportMetric((used()-start).Seconds()/float64(b.N)/benchBytes*1e9, "cpu-s/GB")
	}
}
