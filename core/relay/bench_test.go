package relay_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/core/relay/store/natsstore"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// fleet are enrolled systems of a relay that runs in another process.
type fleet struct {
	root    paths.Root
	address string
	loaded  *setup.Relay
	systems []*identity.System
}

// newFleet sets a relay up with n systems, written into its store: enrolling
// them one by one is measured elsewhere.
func newFleet(b testing.TB, n int) *fleet {
	b.Helper()
	root, err := paths.New(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	f := &fleet{root: root, address: ln.Addr().String()}
	ln.Close()
	if _, err := setup.Init(root, setup.Options{Name: "Bench", Address: f.address, Listen: f.address}); err != nil {
		b.Fatal(err)
	}
	if f.loaded, err = setup.Load(root); err != nil {
		b.Fatal(err)
	}
	engine, err := natsstore.Embed(f.loaded.Places.Store, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	reg, err := store.NewRegistry(b.Context(), engine)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	f.systems = make([]*identity.System, n)
	each(n, func(i int) {
		sys, err := identity.Open(fmt.Sprintf("%s/%d", dir, i))
		if err == nil {
			_, err = reg.ChangeSystem(b.Context(), sys.ID(), func(s *store.System, _ bool) error {
				s.Name, s.PublicKey, s.EnrolledAt = fmt.Sprintf("array-%d", i), identity.FormatKey(sys.PublicKey()), time.Now().UTC()
				return nil
			})
		}
		if err != nil {
			b.Error(err)
		}
		f.systems[i] = sys
	})
	return f
}

// each calls f for 0 to n-1, some at a time.
func each(n int, f func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

func (f *fleet) client(b testing.TB, i int) (*client.Client, identity.Vendor) {
	v := f.loaded.Vendor(fmt.Sprintf("array-%d", i))
	c, err := client.ForSystem(f.systems[i], v, nil)
	if err != nil {
		b.Error(err)
	}
	return c, v
}

// open opens a session of each system and keeps it alive.
func (f *fleet) open(b testing.TB, ctx context.Context) (took time.Duration) {
	start := time.Now()
	each(len(f.systems), func(i int) {
		c, v := f.client(b, i)
		s, err := relaytest.Announce(ctx, c, v)
		if err != nil {
			b.Error(err)
			return
		}
		c.Close()
		context.AfterFunc(ctx, func() { s.Control.Close() })
		go func() { // as a system does
			for n := uint64(1); ; n++ {
				select {
				case <-ctx.Done():
					return
				case <-time.After(msg.Interval - rand.N(msg.Interval/4)):
				}
				err := s.Tell(&msg.Ping{N: n})
				if err == nil {
					_, err = s.In.Next()
				}
				if err != nil && ctx.Err() == nil {
					b.Error(err)
					return
				}
			}
		}()
	})
	return time.Since(start)
}

// rss is the memory of a process that is in RAM.
func (c *child) rss(b testing.TB) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.Fields(v)[0], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return n << 10
		}
	}
	b.Fatal("no VmRSS")
	return 0
}

// settle is after how long the store has let go of the blocks that it wrote.
const settle = 12 * time.Second

// free lets it become idle and give back what is garbage.
func (c *child) free(b testing.TB) {
	b.Helper()
	time.Sleep(settle)
	for range 2 {
		if err := c.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			b.Fatal(err)
		}
		c.says(b, "freed")
	}
}

// cpu is the time that a process has used.
func (c *child) cpu(b testing.TB) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, s := range f[11:13] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100
}

var carriers = []struct{ name, env string }{{"raw", ""}, {"framed", envFramed + "=1"}}

// BenchmarkIdle opens sessions and reports what each costs the relay: of the
// memory that it holds, with and without what is garbage.
func BenchmarkIdle(b *testing.B) {
	for _, n := range []int{1000, 5000} {
		for _, carrier := range carriers {
			b.Run(fmt.Sprintf("%s/%d", carrier.name, n), func(b *testing.B) {
				f := newFleet(b, n)
				c := startChild(b, f.root, carrier.env)
				// Once through all that is made once.
				ctx, cancel := context.WithCancel(b.Context())
				(&fleet{root: f.root, address: f.address, loaded: f.loaded, systems: f.systems[:20]}).open(b, ctx)
				cancel()
				c.free(b)
				before := c.rss(b)
				ctx, cancel = context.WithCancel(b.Context())
				defer cancel()
				b.ResetTimer()
				took := f.open(b, ctx)
				b.StopTimer()
				cpu := c.cpu(b)
				dirty := c.rss(b)
				c.free(b)
				clean := c.rss(b)
				b.ReportMetric(float64(clean-before)/float64(n)/1024, "KiB/session")
				b.ReportMetric(float64(dirty-before)/float64(n)/1024, "KiB/session-with-garbage")
				b.ReportMetric(took.Seconds(), "s/all")
				b.ReportMetric(cpu.Seconds()*1000/float64(n), "relay-cpu-ms/session")
			})
		}
	}
}

// BenchmarkSplice moves bytes from a system to an engineer and reports the
// relay's CPU time for each gigabyte.
func BenchmarkSplice(b *testing.B) {
	for _, carrier := range carriers {
		b.Run(carrier.name, func(b *testing.B) {
			f := newFleet(b, 1)
			engineer := f.engineer(b)
			c := startChild(b, f.root, carrier.env)
			sys, v := f.client(b, 0)
			s, err := relaytest.Announce(b.Context(), sys, v)
			if err != nil {
				b.Fatal(err)
			}
			const piece = 64 << 20
			go s.Serve(b.Context(), func(conn net.Conn, _ *msg.Start) {
				buf := make([]byte, 256<<10)
				for {
					if _, err := conn.Write(buf); err != nil {
						return
					}
				}
			})
			conn, _, err := relaytest.Connect(b.Context(), engineer, f.loaded.ReceiptKey.PublicKey(), "array-0")
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			buf := make([]byte, 256<<10)
			b.SetBytes(piece)
			before := c.cpu(b)
			b.ResetTimer()
			total := 0
			for b.Loop() {
				for moved := 0; moved < piece; {
					n, err := conn.Read(buf)
					if err != nil && err != io.EOF {
						b.Fatal(err)
					}
					moved += n
					total += n
				}
			}
			b.ReportMetric((c.cpu(b)-before).Seconds()/(float64(total)/1e9), "relay-cpu-s/GB")
		})
	}
}

// engineer adds one to the store of a relay that does not run yet.
func (f *fleet) engineer(b testing.TB) *client.Client {
	b.Helper()
	engine, err := natsstore.Embed(f.loaded.Places.Store, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Close()
	reg, err := store.NewRegistry(b.Context(), engine)
	if err != nil {
		b.Fatal(err)
	}
	key, err := identity.MakeKey(b.TempDir()+"/ada", "ada")
	if err != nil {
		b.Fatal(err)
	}
	if err := reg.PutEngineer(b.Context(), store.Engineer{Name: "ada", Key: identity.FormatKey(key.PublicKey()), Roles: []store.Role{store.RoleAccess}, Added: time.Now()}); err != nil {
		b.Fatal(err)
	}
	c, err := client.ForEngineer(f.address, f.loaded.Pin(), key.PublicKey(), client.KeySigner(key), nil)
	if err != nil {
		b.Fatal(err)
	}
	return c
}
