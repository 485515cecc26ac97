package launch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/host/sandbox"
)

var probePath string

func TestMain(m *testing.M) {
	Main()
	dir, err := os.MkdirTemp("", "launch-test-")
	if err != nil {
		panic(err)
	}
	probePath = filepath.Join(dir, "probe")
	build := exec.Command("go", "build", "-o", probePath, "./testdata/probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the probe: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// image loads the probe once for all tests.
var image = sync.OnceValues(func() (*Image, error) {
	f, err := os.Open(probePath)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Load(f, "", "")
})

// nobody is the user that plugins become.
const nobody = 65534

// room is a sandbox with a directory, as the host grants it.
func room(t *testing.T) sandbox.Spec {
	t.Helper()
	dir := t.TempDir()
	spec := sandbox.Spec{Dir: dir, Require: sandbox.Bare}
	if os.Geteuid() == 0 {
		spec.UID, spec.GID = nobody, nobody
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return spec
}

func probe(t *testing.T, spec sandbox.Spec, args ...string) (string, error) {
	t.Helper()
	img, err := image()
	if err != nil {
		t.Fatal(err)
	}
	return probeImage(t, img, spec, args...)
}

func probeImage(t *testing.T, img *Image, spec sandbox.Spec, args ...string) (string, error) {
	out, err := Output(t.Context(), Command{
		Image: img, Argv: append([]string{"probe"}, args...), Env: []string{"A=1"}, Sandbox: spec,
	}, 20*time.Second, 1<<20, func(line string) { t.Log("stderr:", line) })
	return string(out), err
}

type facts struct {
	Args, Env []string
	Dir       string
	UID, GID  int
	Groups    []int
	FDs       map[string]string
	Stdin     string
	Core      uint64
	Files     uint64
}

// REQ I1: a plugin process begins with nothing of its host.
func TestCleanProcess(t *testing.T) {
	t.Setenv("LATCH_TEST_CANARY", "from the host")
	// A descriptor that something opened without close-on-exec.
	leak, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leak)
	spec := room(t)
	out, err := probe(t, spec, "facts")
	if err != nil {
		t.Fatal(err)
	}
	var f facts
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.Args, []string{"probe", "facts"}) || !slices.Equal(f.Env, []string{"A=1"}) {
		t.Errorf("arguments %q, environment %q", f.Args, f.Env)
	}
	if f.Stdin != `"" <nil>` {
		t.Errorf("stdin: %s", f.Stdin)
	}
	for fd := range f.FDs {
		// Go's poller opens its own descriptors above.
		if fd == fmt.Sprint(leak) && f.FDs[fd] == "100000" {
			t.Errorf("descriptor %s of the host is open in the plugin: %v", fd, f.FDs)
		}
	}
	if f.FDs["0"] != "20000" || f.FDs["1"] != "10000" || f.FDs["2"] != "10000" || f.FDs["3"] != "20000" {
		t.Errorf("descriptors %v: want null, pipe, pipe, null", f.FDs)
	}
	if f.Core > 1 || f.Files != sandbox.Default.Files {
		t.Errorf("limits: core %d, files %d", f.Core, f.Files)
	}
	if f.Dir != spec.Dir {
		t.Errorf("working directory %s, want %s", f.Dir, spec.Dir)
	}
	if os.Geteuid() == 0 && (f.UID != nobody || f.GID != nobody || len(f.Groups) > 1) {
		t.Errorf("runs as %d:%d %v", f.UID, f.GID, f.Groups)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func port(l net.Listener) uint16 { return uint16(l.Addr().(*net.TCPAddr).Port) }

func TestConfinement(t *testing.T) {
	level := sandbox.Probe(nobody)
	if level < sandbox.Unprivileged {
		t.Skipf("this machine reaches sandbox level %s only: %s", level, level.Meaning())
	}
	good, bad := listen(t), listen(t)
	readable := filepath.Join(t.TempDir(), "readable")
	if err := os.WriteFile(readable, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for d := filepath.Dir(readable); len(d) > len(os.TempDir()); d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	none, network, ifaces := room(t), room(t), room(t)
	none.Read = []string{readable, "/no/such/file"}
	network.Network, network.Ports = true, []uint16{port(good)}
	ifaces.Interfaces = true
	anyPort := room(t)
	anyPort.Network, anyPort.AnyPort = true, true

	tests := []struct {
		name string
		spec sandbox.Spec
		yes  []string
		no   []string
	}{
		{"nothing granted", none,
			[]string{"read:" + readable, "write:own", "read:own", "listenunix:./sock", "outlive:"},
			[]string{
				"read:/etc/passwd", "read:/etc/shadow", "list:/", "write:/tmp/x", "shm:x", "write:" + readable,
				"mkdir:d", "symlink:l", "exec:/bin/true", "execself:/bin/true", "chdir:/",
				"dial:" + good.Addr().String(), "udp:127.0.0.1:53", "mptcp:" + good.Addr().String(),
				"unix:@abstract", "unix:/run/x", "signal:1", fmt.Sprintf("signal:%d", os.Getpid()),
				fmt.Sprintf("call:%d", unix.SYS_PTRACE), fmt.Sprintf("call:%d", unix.SYS_UNSHARE),
				fmt.Sprintf("call:%d", unix.SYS_IO_URING_SETUP), fmt.Sprintf("call:%d", unix.SYS_BPF),
				fmt.Sprintf("call:%d", unix.SYS_SETSID), "interfaces:",
			}},
		{"one port", network,
			[]string{"dial:" + good.Addr().String()},
			[]string{
				"dial:" + bad.Addr().String(), "mptcp:" + bad.Addr().String(), "mptcp:" + good.Addr().String(),
				"listen:127.0.0.1:0", "socket:17,3,0", "socket:1,2,0", "interfaces:", "exec:/bin/true",
				"unix:/run/some/long/socket/path.sock",
			}},
		{"any port", anyPort,
			[]string{"dial:" + good.Addr().String(), "dial:" + bad.Addr().String()},
			[]string{"listen:127.0.0.1:0", "mptcp:" + good.Addr().String()}},
		{"interfaces", ifaces, []string{"interfaces:"}, []string{"dial:" + good.Addr().String(), "socket:16,3,9"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := probe(t, tt.spec, append([]string{"try"}, slices.Concat(tt.yes, tt.no)...)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range tt.yes {
				if w == "outlive:" {
					if !strings.Contains(out, "outlive:: no: operation not permitted\n") {
						t.Error("the plugin could ask to outlive its host")
					}
				} else if !strings.Contains(out, w+": yes\n") {
					t.Errorf("%s was not possible", w)
				}
			}
			for _, w := range tt.no {
				if !strings.Contains(out, w+": no: ") {
					t.Errorf("%s was possible", w)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// Policy demanded a level; the process must not run with less.
func TestRequiredLevel(t *testing.T) {
	spec := room(t)
	spec.Require = sandbox.Full
	spec.UID, spec.GID = 0, 0 // no user of its own: Full cannot be reached
	_, err := probe(t, spec, "facts")
	if err == nil || !strings.Contains(err.Error(), "full is required") {
		t.Errorf("started below the required level: %v", err)
	}
}

func TestLoad(t *testing.T) {
	img, err := image()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(probePath)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Load(f, strings.Repeat("0", 64), ""); err == nil || !errors.As(err, new(*SumError)) {
		t.Errorf("wrong sum: %v", err)
	}
	again, err := Load(f, img.Sum(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := unix.Write(int(again.file.Fd()), []byte("x")); !errors.Is(err, unix.EPERM) {
		t.Errorf("the sealed copy can be written: %v", err)
	}
	if err := unix.Ftruncate(int(again.file.Fd()), 0); !errors.Is(err, unix.EPERM) {
		t.Errorf("the sealed copy can be cut: %v", err)
	}
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := Load(dir, "", ""); err == nil {
		t.Error("a directory was loaded")
	}
}

// REQ I4: the file is swapped between check and execution. What runs is what
// was checked.
func TestSwappedProgram(t *testing.T) {
	data, err := os.ReadFile(probePath)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plugin")
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, memory := range map[string]func(string) (*os.File, error){
		"sealed": memoryFile,
		"disk":   func(string) (*os.File, error) { return nil, unix.EACCES }, // vm.memfd_noexec=2
	} {
		t.Run(name, func(t *testing.T) {
			os.WriteFile(path, data, 0o755)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			img, err := load(f, "", t.TempDir(), memory)
			f.Close()
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			// In place, so that a plan that kept the inode would be fooled.
			if err := os.WriteFile(path, []byte("#!/bin/sh\necho pwned\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			out, err := probeImage(t, img, room(t), "facts")
			if err != nil || !strings.Contains(out, `"Args"`) {
				t.Errorf("output %q, %v", out, err)
			}
		})
	}
}

func TestNotAProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plugin")
	if err := os.WriteFile(path, []byte("not a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := Load(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	_, err = probeImage(t, img, room(t))
	if err == nil || !strings.Contains(err.Error(), "no program for this machine") {
		t.Errorf("error %v", err)
	}
}

func TestOutputLimits(t *testing.T) {
	img, err := image()
	if err != nil {
		t.Fatal(err)
	}
	spec := room(t)
	cmd := func(args ...string) Command {
		return Command{Image: img, Argv: append([]string{"probe"}, args...), Sandbox: spec}
	}
	quiet := func(string) {}
	if _, err := Output(t.Context(), cmd("flood"), 20*time.Second, 1<<16, quiet); err == nil || !strings.Contains(err.Error(), "more than 65536 bytes") {
		t.Errorf("flood: %v", err)
	}
	if _, err := Output(t.Context(), cmd("hang"), 300*time.Millisecond, 1<<16, quiet); err == nil || !strings.Contains(err.Error(), "no answer within 300ms") {
		t.Errorf("hang: %v", err)
	}
	var mu sync.Mutex
	var lines []string
	_, err = Output(t.Context(), cmd("exit", "3"), 20*time.Second, 1<<16, func(l string) { mu.Lock(); lines = append(lines, l); mu.Unlock() })
	mu.Lock()
	defer mu.Unlock()
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !slices.Equal(lines, []string{"[31mlast words[0m"}) {
		t.Errorf("exit: %v, %q", err, lines)
	}
}

func TestKill(t *testing.T) {
	img, err := image()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(t.Context(), Command{Image: img, Argv: []string{"probe", "hang"}, Sandbox: room(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stdout.Close()
	defer p.Stderr.Close()
	if want := sandbox.Probe(nobody); p.Level() != want {
		t.Errorf("level %s, probe promised %s", p.Level(), want)
	}
	if _, err := p.Stdout.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if end := p.End(); end != "signal: killed" || !p.Killed() {
		t.Errorf("ended with %s", end)
	}
	p.Kill() // again does nothing
}

func TestStartGivesUp(t *testing.T) {
	img, err := image()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := Start(ctx, Command{Image: img, Argv: []string{"probe", "hang"}, Sandbox: room(t)}); err == nil {
		p.Kill()
		t.Error("started though it was cancelled")
	}
}

func TestLines(t *testing.T) {
	var in bytes.Buffer
	in.WriteString("plain\n{\"@message\":1}\n\x1b[2Jescape\x07\xff\n\n")
	in.WriteString(strings.Repeat("y", 1<<20) + "\nafter\nno newline")
	var got []string
	lines(&in, func(l string) { got = append(got, l) }, func() time.Time { return time.Unix(0, 0) })
	want := []string{"plain", `{"@message":1}`, "[2Jescape?", strings.Repeat("y", maxLine) + " ... (cut)", "after", "no newline"}
	if !slices.Equal(got, want) {
		t.Errorf("lines %.60q", got)
	}
}

func TestLinesRate(t *testing.T) {
	var got []string
	clock := time.Unix(0, 0)
	lines(strings.NewReader(strings.Repeat("x\n", 1000)), func(l string) { got = append(got, l) }, func() time.Time { return clock })
	if len(got) != linesBurst+1 || got[linesBurst] != fmt.Sprintf(droppedNotice, 800, linesASecond) {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[0m\xff\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Clean(s) {
			if r < ' ' || r == 0x7f || r == '\u202e' {
				t.Fatalf("%q holds %q", Clean(s), r)
			}
		}
	})
}
