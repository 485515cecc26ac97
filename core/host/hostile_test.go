package host

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host/sandbox"
	"github.com/latchstring/latchstring/testdata/until"
)

// Each hostile plugin: the host lives, refuses, and says why in one error.
// REQ I1, REQ J1.
func TestHostileStart(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Timeouts.Start = 2 * time.Second })
	for _, tt := range []struct{ name, want string }{
		{"garbage", `did not start: it printed "hello[2J, I am a plugin" instead of a handshake`},
		{"silent", "no answer to the handshake within 2s"},
		{"quits", `did not start: it ended without a handshake; the last line of its log: "cannot find my config"`},
		{"endless", `instead of a handshake`},
		{"address-tcp", `printed "1|1|tcp|127.0.0.1:22|grpc|" instead of a handshake`},
		{"address-path", `instead of a handshake`},
		{"address-file", "the plugin's socket is no socket"},
		{"version", "incompatible API version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr := b.transport(t, tt.name, nil)
			_, err := dial(t, tr, "127.0.0.1:20001")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v\nwant one with %q", err, tt.want)
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("the error is not one clean line: %q", err)
			}
			if b.audit.has(audit.PluginCrashed, "transport/"+tt.name) == nil {
				t.Error("not recorded")
			}
		})
	}
}

// go-plugin v1.8.0 panics on the first of these lines, and stops reading at the
// second kind.
func TestHostileLog(t *testing.T) {
	b := newBench(t)
	addr := server(t, true)
	for _, name := range []string{"log-json", "log-long", "stdout-later"} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d, err := dial(t, b.transport(t, name, nil), addr)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Conn.Close()
			talk(t, d.Conn, "still here")
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
				t.Errorf("the host grew by %d bytes", grown)
			}
		})
	}
	if log := b.logs.String(); !strings.Contains(log, `{\"@message\":1}`) || len(log) > 64<<10 {
		t.Errorf("log of %d bytes: %.300s", len(log), log)
	}
}

func TestHostileCalls(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Timeouts.Dial = time.Second })
	for _, tt := range []struct{ name, want string }{
		{"hang-all", "was ended: no answer to dial within 1s"},
		{"exit", `ended unexpectedly (exit status 7), its last words: "giving up"`},
		{"big", "its answer to dial is larger than the 4194304 bytes that a message may have"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := b.transport(t, tt.name, nil)
			info, err := tr.Info(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = dial(t, tr, "127.0.0.1:20001")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v\nwant one with %q", err, tt.want)
			}
			gone(t, info.PID)
		})
	}
}

// gone waits until a process is no more.
func gone(t *testing.T, pid int) {
	t.Helper()
	until.True(t, "the plugin is gone", func() bool { return errors.Is(unix.Kill(pid, 0), unix.ESRCH) })
}

// REQ I1: what a plugin tries inside its sandbox fails.
func TestHostileSandbox(t *testing.T) {
	need(t, sandbox.Unprivileged)
	b := newBench(t)
	secret := server(t, false)
	conf := map[string]string{"other": secret}
	for _, tt := range []struct{ name, want string }{
		{"shadow", "shadow: open /etc/shadow: permission denied; passwd: open /etc/passwd: permission denied"},
		{"fork", "shell: fork/exec /bin/sh: operation not permitted; fork: operation not permitted"},
		{"elsewhere", "tcp: dial tcp " + secret + ": connect: permission denied; mptcp: protocol not supported; " +
			"udp: dial unix /run/dbus/system_bus_socket: connect: operation not permitted"},
		{"syscalls", "all refused"},
		{"kill-host", "signal: operation not permitted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dial(t, b.transport(t, tt.name, conf), "127.0.0.1:20001")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v\nwant one with %q", err, tt.want)
			}
		})
	}
	if runtime.GOARCH == "amd64" {
		_, err := dial(t, b.transport(t, "int80", nil), "127.0.0.1:20001")
		if err == nil || !strings.Contains(err.Error(), "ended unexpectedly (signal: ") {
			t.Errorf("a 32-bit system call: %v", err)
		}
	}
}

// Wrong descriptors: refused, recorded, and the plugin is ended.
func TestHostileDescriptors(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Timeouts.Call = time.Second })
	addr, other := server(t, true), server(t, true)
	conf := map[string]string{"other": other}
	d, err := dial(t, b.transport(t, "good", nil), addr) // opens what stays open
	if err != nil {
		t.Fatal(err)
	}
	d.Conn.Close()
	before := openFiles(t)
	for _, tt := range []struct{ name, want string }{
		{"hand-file", "it handed over a file, not a socket"},
		{"hand-pipe", "it handed over a pipe, not a socket"},
		{"hand-listener", "a listening socket"},
		{"hand-udp", "a socket of type 2, not a stream"},
		{"hand-unconnected", "a socket that is not connected"},
		{"hand-other", "it handed over one to " + other},
		{"hand-pair", "a socket of family 1, not of the Internet"},
		{"hand-epoll", "something else (an anonymous descriptor), not a socket"},
		{"hand-none", "it said that it had dialled, but handed over no connection"},
		{"hand-many", "it broke the rules of the handoff channel"},
		{"pump-tcp", "a socket of family 2, not a socket pair"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := b.transport(t, tt.name, conf)
			info, err := tr.Info(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = dial(t, tr, addr)
			var bad *MisbehaviorError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v\nwant one with %q", err, tt.want)
			}
			gone(t, info.PID)
			if b.audit.has(audit.PluginMisbehave, "transport/"+tt.name) == nil {
				t.Error("not recorded")
			}
			tr.Close()
		})
	}
	until.True(t, "the descriptors are closed", func() bool { return openFiles(t) <= before+2 })
}

// openFiles counts the descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
