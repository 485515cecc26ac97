package handoff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/testdata/until"
)

// enemy is the raw socket of a peer that keeps no rules.
type enemy struct {
	t    *testing.T
	conn *net.UnixConn
}

// besiege returns a host's channel and the enemy at its other end.
func besiege(t *testing.T) (*Channel, enemy) {
	t.Helper()
	host, child, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.FileConn(child)
	child.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close(); nc.Close() })
	return host, enemy{t, nc.(*net.UnixConn)}
}

func (e enemy) send(msg []byte, fds ...int) error {
	var oob []byte
	if len(fds) > 0 {
		oob = unix.UnixRights(fds...)
	}
	e.conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
	_, _, err := e.conn.WriteMsgUnix(msg, oob, nil)
	return err
}

// watched returns the write end of a pipe and a function that reports whether
// every duplicate of it is closed.
func watched(t *testing.T) (fd int, released func() bool) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return int(w.Fd()), func() bool {
		w.Close()
		r.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, err := r.Read(make([]byte, 1))
		return n == 0 && !errors.Is(err, os.ErrDeadlineExceeded)
	}
}

func pass(id uint64) []byte { return header{kind: kindPass, id: id}.appendTo(nil) }

// Whatever a hostile plugin sends, the channel closes, says why, and no
// descriptor is left behind.
func TestHostilePeer(t *testing.T) {
	call := header{kind: kindCall, op: OpOpen, id: 1}
	half := header{kind: kindCall, op: OpOpen, id: 1, length: 100}.appendTo(nil)
	tests := []struct {
		name  string
		msg   []byte
		files int
	}{
		{"garbage", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0},
		{"garbage with a descriptor", []byte("SSH-2.0-hello-there-you"), 1},
		{"short header", pass(1)[:9], 1},
		{"one byte", []byte{Version}, 1},
		{"wrong version", append([]byte{9}, pass(1)[1:]...), 1},
		{"version zero", make([]byte, headerSize), 1},
		{"half a message", append(half, make([]byte, 50)...), 0},
		{"more than announced", append(half, make([]byte, 101)...), 0},
		{"huge length", header{kind: kindCall, op: 1, length: 1<<32 - 1}.appendTo(nil), 0},
		{"oversized message", make([]byte, headerSize+MaxPayload+1), 1},
		{"pass without descriptor", pass(1), 0},
		{"pass with two", pass(1), 2},
		{"pass with 253", pass(1), 253},
		{"pass with payload", header{kind: kindPass, id: 1, length: 1}.appendTo(nil), 1},
		{"pass with op", header{kind: kindPass, op: 3, id: 1}.appendTo(nil), 1},
		{"call with a descriptor", call.appendTo(nil), 1},
		{"call without op", header{kind: kindCall, id: 1}.appendTo(nil), 0},
		{"answer nobody asked for", header{kind: kindReply, id: 1}.appendTo(nil), 1},
		{"answer with two descriptors", header{kind: kindReply, id: 1}.appendTo(nil), 2},
		{"answer with strange status", header{kind: kindReply, op: 7, id: 1}.appendTo(nil), 0},
		{"unknown kind", header{kind: 77, id: 1}.appendTo(nil), 1},
		{"taken what nobody passed", header{kind: kindTaken, id: 1}.appendTo(nil), 0},
		{"cancel with a descriptor", header{kind: kindCancel, id: 1}.appendTo(nil), 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			host, e := besiege(t)
			fd, released := watched(t)
			fds := make([]int, tt.files)
			for i := range fds {
				fds[i] = fd
			}
			if err := e.send(tt.msg, fds...); err != nil {
				t.Fatal(err)
			}
			if err := await(t, host); !errors.Is(err, ErrProtocol) {
				t.Errorf("reason %v", err)
			}
			if !released() {
				t.Error("a descriptor leaked")
			}
		})
	}
}

// An empty message reads as the end of the file, but it may carry a
// descriptor all the same.
func TestEmptyMessageWithDescriptor(t *testing.T) {
	host, e := besiege(t)
	fd, released := watched(t)
	raw, err := e.conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(s uintptr) {
		err = unix.Sendmsg(int(s), nil, unix.UnixRights(fd), nil, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	await(t, host)
	if !released() {
		t.Error("a descriptor leaked")
	}
}

func TestFloodOfDescriptors(t *testing.T) {
	host, e := besiege(t)
	fd, released := watched(t)
	for i := range uint64(MaxBacklog + 1) {
		if err := e.send(pass(i+1), fd); err != nil {
			break // closed on us: what we want
		}
	}
	if err := await(t, host); !errors.Is(err, ErrProtocol) {
		t.Errorf("reason %v", err)
	}
	if !released() {
		t.Error("a descriptor leaked")
	}
}

func TestSameIDTwice(t *testing.T) {
	host, e := besiege(t)
	fd, released := watched(t)
	e.send(pass(1), fd)
	e.send(pass(1), fd)
	if err := await(t, host); !errors.Is(err, ErrProtocol) {
		t.Errorf("reason %v", err)
	}
	if !released() {
		t.Error("a descriptor leaked")
	}
}

// A peer that calls without reading the answers cannot hold the host's
// memory: its calls are bounded.
func TestFloodOfCalls(t *testing.T) {
	host, e := besiege(t)
	host.Serve(HandlerFunc(func(ctx context.Context, _ Op, _ []byte) (*os.File, []byte, error) {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}))
	for i := range uint64(MaxCalls + 1) {
		if err := e.send(header{kind: kindCall, op: 1, id: i}.appendTo(nil)); err != nil {
			break
		}
	}
	if err := await(t, host); !errors.Is(err, ErrProtocol) {
		t.Errorf("reason %v", err)
	}
}

func TestSameCallTwice(t *testing.T) {
	host, e := besiege(t)
	host.Serve(HandlerFunc(func(ctx context.Context, _ Op, _ []byte) (*os.File, []byte, error) {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}))
	for range 2 {
		e.send(header{kind: kindCall, op: 1, id: 4}.appendTo(nil))
	}
	if err := await(t, host); !errors.Is(err, ErrProtocol) {
		t.Errorf("reason %v", err)
	}
}

// Credentials are no descriptors; a peer may not send them.
func TestForeignControlMessage(t *testing.T) {
	host, e := besiege(t)
	raw, err := host.conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(s uintptr) { err = unix.SetsockoptInt(int(s), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) })
	if err != nil {
		t.Fatal(err)
	}
	fd, released := watched(t)
	e.send(pass(1), fd)
	if err := await(t, host); !errors.Is(err, ErrProtocol) {
		t.Errorf("reason %v", err)
	}
	if !released() {
		t.Error("a descriptor leaked")
	}
}

// After all of it the process has the descriptors it had before.
func TestNoDescriptorLeak(t *testing.T) {
	count := func() int {
		ents, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc here to count descriptors")
		}
		return len(ents)
	}
	before := count()
	for i := range 200 {
		host, child, err := Pair()
		if err != nil {
			t.Fatal(err)
		}
		plugin, err := New(child)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		for id := range uint64(5) {
			if err := plugin.Pass(id, f); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
		switch i % 3 {
		case 0:
			host.Close()
			plugin.Close()
		case 1:
			plugin.Close()
			await(t, host)
			host.Close()
		default:
			host.Forget(2)
			plugin.conn.Write([]byte("rubbish"))
			await(t, host)
			await(t, plugin)
			plugin.Close()
		}
	}
	until.OK(t, "the descriptors are closed", func() error {
		if n := count(); n > before+3 {
			return fmt.Errorf("%d before, %d after", before, n)
		}
		return nil
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(pass(1))
	f.Add(header{kind: kindCall, op: OpOpen, id: 1<<63 + 1, length: 2}.appendTo(nil))
	f.Add(append(header{kind: kindReply, op: statusRefused, length: 2}.appendTo(nil), "{}"...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, msg []byte) {
		h, payload, err := parse(msg)
		if err != nil {
			if !errors.Is(err, ErrProtocol) {
				t.Fatalf("error without kind: %v", err)
			}
			return
		}
		if again := append(h.appendTo(nil), payload...); !bytes.Equal(again, msg) {
			t.Fatalf("%x reads as %x", msg, again)
		}
	})
}
