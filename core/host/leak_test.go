package host

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/testdata/until"
)

func descriptors(pid string) int {
	ents, _ := os.ReadDir("/proc/" + pid + "/fd")
	return len(ents)
}

// A thousand dials, good, refused and cancelled, leave no descriptor, no
// goroutine and no process behind, in the host and in the plugin.
func TestThousandDialsLeaveNothing(t *testing.T) {
	path, err := builtins()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *Options) { o.Plugins = path })
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	dead, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	tr := b.transport(t, "direct", nil)
	once := func(n int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		address := l.Addr().String()
		switch n % 4 {
		case 1:
			address = dead.Addr().String()
		case 2:
			time.AfterFunc(time.Duration(n%7)*100*time.Microsecond, cancel)
		}
		conn, err := tr.DialContext(ctx, "tcp", address)
		if err == nil {
			io.ReadAll(conn)
			conn.Close()
		} else if n%4 == 0 {
			t.Errorf("dial %d: %v", n, err)
		}
	}
	for n := range 20 {
		once(n)
	}
	info, err := tr.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	self, plugin := "self", strconv.Itoa(info.PID)
	settle := func() (int, int, int, int) {
		runtime.GC()
		return descriptors(self), descriptors(plugin), runtime.NumGoroutine(), len(children(os.Getpid()))
	}
	time.Sleep(50 * time.Millisecond)
	f0, p0, g0, c0 := settle()
	for n := range 1000 {
		once(n)
	}
	until.OK(t, "all is given back", func() error {
		f, p, g, c := settle()
		if f <= f0+3 && p <= p0+3 && g <= g0+5 && c <= c0 {
			return nil
		}
		return fmt.Errorf("descriptors %d, then %d; in the plugin %d, then %d; goroutines %d, then %d; processes %d, then %d", f0, f, p0, p, g0, g, c0, c)
	})
}

// A dial that is cancelled while it connects ends within 100 ms.
func TestCancelledDialEndsAtOnce(t *testing.T) {
	path, err := builtins()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *Options) { o.Plugins = path })
	tr := b.transport(t, "direct", nil)
	if _, err := tr.Info(t.Context()); err != nil {
		t.Fatal(err)
	}
	hole := fullQueue(t)
	best := time.Hour
	for range 5 { // a busy machine delays the innocent now and then
		ctx, cancel := context.WithCancel(t.Context())
		var at time.Time
		time.AfterFunc(40*time.Millisecond, func() { at = time.Now(); cancel() })
		conn, err := tr.DialContext(ctx, "tcp", hole)
		if err == nil {
			conn.Close()
			t.Skip("this kernel's listen queue does not fill up")
		}
		<-ctx.Done()
		if best = min(best, time.Since(at)); best < 100*time.Millisecond {
			return
		}
	}
	t.Errorf("it took %v", best)
}

// fullQueue is an address to which a connect hangs.
func fullQueue(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := "127.0.0.1:" + strconv.Itoa(sa.(*unix.SockaddrInet4).Port)
	for range 16 {
		conn, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Skip("this kernel's listen queue does not fill up")
	return addr
}
