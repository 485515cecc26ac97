package handoff

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns both ends of a channel, closed at the end of the test.
func pair(t testing.TB) (host, plugin *Channel) {
	t.Helper()
	host, child, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	plugin, err = New(child)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(); plugin.Close() })
	return host, plugin
}

func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func await(t testing.TB, c *Channel) error {
	t.Helper()
	select {
	case <-c.Done():
		return c.Err()
	case <-time.After(5 * time.Second):
		t.Fatal("channel lives on")
		return nil
	}
}

func tempFile(t testing.TB, content string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestPassAndTake(t *testing.T) {
	host, plugin := pair(t)
	for _, order := range []string{"pass first", "take first"} {
		t.Run(order, func(t *testing.T) {
			id := host.NewID()
			pass := func() {
				if err := plugin.Pass(id, tempFile(t, order)); err != nil {
					t.Error(err)
				}
			}
			if order == "pass first" {
				pass()
			} else {
				go pass()
			}
			f, err := host.Take(soon(t), id)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, err := io.ReadAll(f)
			if err != nil || string(got) != order {
				t.Errorf("read %q, %v", got, err)
			}
			if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("descriptor is not close-on-exec: %v", err)
			}
		})
	}
}

// A connection goes over as what it is: the host's end is a *net.TCPConn.
func TestPassConnection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	host, plugin := pair(t)
	if err := plugin.Pass(7, conn.(*net.TCPConn)); err != nil {
		t.Fatal(err)
	}
	conn.Close() // the duplicate lives on
	f, err := host.Take(soon(t), 7)
	if err != nil {
		t.Fatal(err)
	}
	got, err := net.FileConn(f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if _, ok := got.(*net.TCPConn); !ok || got.RemoteAddr().String() != ln.Addr().String() {
		t.Errorf("took %T to %v", got, got.RemoteAddr())
	}
}

// A pipe that was in blocking mode can be read with a deadline.
func TestReceivedPipeCanBeInterrupted(t *testing.T) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w := os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	defer r.Close()
	defer w.Close()
	host, plugin := pair(t)
	if err := plugin.Pass(1, r); err != nil {
		t.Fatal(err)
	}
	f, err := host.Take(soon(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
}

func TestTakeGivesUpAndClosesTheLatecomer(t *testing.T) {
	host, plugin := pair(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := host.Take(ctx, 5); !errors.Is(err, context.Canceled) {
		t.Fatalf("take: %v", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := plugin.Pass(5, w); err != nil {
		t.Fatal(err)
	}
	w.Close()
	r.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the late descriptor is still open: %v", err)
	}
}

// What was passed before the plugin died is not lost with it.
func TestTakeAfterPeerDied(t *testing.T) {
	host, plugin := pair(t)
	if err := plugin.Pass(1, tempFile(t, "survivor")); err != nil {
		t.Fatal(err)
	}
	plugin.Close()
	if err := await(t, host); !errors.Is(err, io.EOF) || !errors.Is(err, ErrClosed) {
		t.Errorf("reason %v", err)
	}
	f, err := host.Take(soon(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := host.Take(soon(t), 2); !errors.Is(err, ErrClosed) {
		t.Errorf("take of nothing: %v", err)
	}
}

// A sender that is faster than the taker waits; it does not overrun the
// backlog.
func TestPassWaitsForTaker(t *testing.T) {
	host, plugin := pair(t)
	f := tempFile(t, "x")
	const n = 3 * MaxBacklog
	sent := make(chan error, 1)
	go func() {
		for id := range uint64(n) {
			if err := plugin.Pass(id, f); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for id := range uint64(n) {
		if id%5 == 0 {
			host.Forget(id)
			continue
		}
		got, err := host.Take(soon(t), id)
		if err != nil {
			t.Fatal(err)
		}
		got.Close()
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}

	for id := range uint64(MaxPassed) {
		if err := plugin.Pass(n+id, f); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := plugin.PassContext(ctx, 2*n, f); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("pass beyond the credit: %v", err)
	}
}

func TestListenAndDial(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handoff")
	ln, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	host, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	plugin, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Close()
	if err := plugin.Pass(1, tempFile(t, "x")); err != nil {
		t.Fatal(err)
	}
	f, err := host.Take(soon(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestLifeline(t *testing.T) {
	host, plugin := pair(t)
	host.Close()
	if err := await(t, plugin); !errors.Is(err, io.EOF) {
		t.Errorf("reason %v", err)
	}
	if err := plugin.Pass(1, tempFile(t, "")); !errors.Is(err, ErrClosed) {
		t.Errorf("pass on a dead channel: %v", err)
	}
}

func TestNewRefusesWhatIsNoChannel(t *testing.T) {
	if _, err := New(tempFile(t, "")); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("file: %v", err)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	if _, err := New(os.NewFile(uintptr(fds[0]), "stream")); err == nil || !strings.Contains(err.Error(), "seqpacket") {
		t.Errorf("stream socket: %v", err)
	}
}

func TestIDsDoNotCollide(t *testing.T) {
	host, plugin := pair(t)
	seen := make(map[uint64]bool)
	for range 100 {
		for _, id := range []uint64{host.NewID(), plugin.NewID()} {
			if seen[id] {
				t.Fatalf("id %d twice", id)
			}
			seen[id] = true
		}
	}
}

// fakeBroker opens what is in files and runs nothing but "true".
type fakeBroker struct{ dir string }

func (b fakeBroker) Open(_ context.Context, req OpenRequest) (*os.File, OpenReply, error) {
	if strings.Contains(req.Path, "secret") {
		return nil, OpenReply{}, fs.ErrPermission
	}
	f, err := os.Open(filepath.Join(b.dir, req.Path))
	return f, OpenReply{Path: "/real"}, err
}

func (b fakeBroker) Run(_ context.Context, req RunRequest) (*os.File, RunReply, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, RunReply{}, err
	}
	w.WriteString(strings.Join(req.Argv, " "))
	w.Close()
	return r, RunReply{Run: 9}, nil
}

func (b fakeBroker) Wait(_ context.Context, req WaitRequest) (WaitReply, error) {
	return WaitReply{ExitCode: int(req.Run)}, nil
}

func (b fakeBroker) Stop(context.Context, StopRequest) error { panic("no stop here") }

func TestBroker(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	host, plugin := pair(t)
	host.Serve(Serving(fakeBroker{dir}))
	ctx := soon(t)

	f, rep, err := plugin.Open(ctx, OpenRequest{Path: "/f"})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(f)
	f.Close()
	if string(got) != "content" || rep.Path != "/real" {
		t.Errorf("opened %q, %+v", got, rep)
	}
	if _, _, err := plugin.Open(ctx, OpenRequest{Path: "/none"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, _, err := plugin.Open(ctx, OpenRequest{Path: "/secret"}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("forbidden file: %v", err)
	}

	f, run, err := plugin.Run(ctx, RunRequest{Argv: []string{"echo", "a"}})
	if err != nil {
		t.Fatal(err)
	}
	got, _ = io.ReadAll(f)
	f.Close()
	end, err := plugin.Wait(ctx, WaitRequest{Run: run.Run})
	if err != nil || end.ExitCode != 9 || string(got) != "echo a" {
		t.Errorf("ran %q: %+v, %v", got, end, err)
	}

	// A panic in the host's handler refuses one call and ends nothing.
	var remote *RemoteError
	if err := plugin.Stop(ctx, StopRequest{}); !errors.As(err, &remote) || remote.Code != CodeFailed {
		t.Errorf("panicking handler: %v", err)
	}
	if _, _, err := plugin.Call(ctx, 999, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("unknown operation: %v", err)
	}
	if _, _, err := host.Call(ctx, OpOpen, nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("call to a side without handler: %v", err)
	}
	if host.Err() != nil || plugin.Err() != nil {
		t.Errorf("channel ended: %v, %v", host.Err(), plugin.Err())
	}
}

func TestCallCancelled(t *testing.T) {
	host, plugin := pair(t)
	stopped := make(chan struct{})
	host.Serve(HandlerFunc(func(ctx context.Context, op Op, _ []byte) (*os.File, []byte, error) {
		if op == 2 {
			return nil, []byte("fine"), nil
		}
		<-ctx.Done()
		close(stopped)
		return nil, nil, ctx.Err()
	}))
	ctx, cancel := context.WithCancel(soon(t))
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, _, err := plugin.Call(ctx, 1, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("call: %v", err)
	}
	select {
	case <-stopped:
	case <-time.After(5 * time.Second):
		t.Fatal("the handler was not told")
	}
	if _, out, err := plugin.Call(soon(t), 2, nil); err != nil || string(out) != "fine" {
		t.Errorf("next call: %q, %v", out, err)
	}
}

// The caller holds itself to MaxCalls, so that the other side need not end
// the channel.
func TestManyCalls(t *testing.T) {
	host, plugin := pair(t)
	host.Serve(HandlerFunc(func(context.Context, Op, []byte) (*os.File, []byte, error) {
		return nil, []byte("x"), nil
	}))
	var wg sync.WaitGroup
	for range 20 * MaxCalls {
		wg.Go(func() {
			if _, out, err := plugin.Call(soon(t), 1, nil); err != nil || string(out) != "x" {
				t.Errorf("call: %q, %v", out, err)
			}
		})
	}
	wg.Wait()
}

func TestPayloadLimit(t *testing.T) {
	host, plugin := pair(t)
	host.Serve(HandlerFunc(func(_ context.Context, op Op, p []byte) (*os.File, []byte, error) {
		if op == 2 {
			return nil, make([]byte, MaxPayload+1), nil
		}
		return nil, p, nil
	}))
	full := strings.Repeat("x", MaxPayload)
	if _, out, err := plugin.Call(soon(t), 1, []byte(full)); err != nil || string(out) != full {
		t.Errorf("largest payload: %d bytes, %v", len(out), err)
	}
	if _, _, err := plugin.Call(soon(t), 1, []byte(full+"x")); err == nil {
		t.Error("too large a payload was sent")
	}
	var remote *RemoteError
	if _, _, err := plugin.Call(soon(t), 2, nil); !errors.As(err, &remote) {
		t.Errorf("too large an answer: %v", err)
	}
}
