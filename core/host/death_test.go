package host

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/testdata/until"
)

func init() { helpers["host"] = hostHelper }

// hostHelper is a host that starts some plugins, says which, and waits to be
// killed.
func hostHelper() {
	must := func(err error) {
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	root, err := pathsNew(os.Getenv("HOST_TEST_ROOT"))
	must(err)
	h, err := New(Options{Root: root, Policy: &lax{}, Audit: &memory{}, Plugins: os.Getenv("HOST_TEST_PLUGINS")})
	must(err)
	ctx := context.Background()
	var pids []string
	for _, name := range []string{"good", "hang"} {
		t, err := h.Transport(name, TransportUse{})
		must(err)
		info, err := t.Info(ctx)
		must(err)
		pids = append(pids, fmt.Sprint(info.PID))
		go t.DialContext(ctx, "tcp", "127.0.0.1:20001") // one of them hangs in it
	}
	c, err := h.Collector("good", Use{Config: json.RawMessage(`{"runs":[["/bin/sleep","100"]]}`)})
	must(err)
	info, err := c.Info(ctx)
	must(err)
	pids = append(pids, fmt.Sprint(info.PID))
	go c.Collect(ctx, Request{}, func(i *Item) error { _, err := i.End(ctx); return err })
	until.True(log.Default(), "the collector's command runs", func() bool {
		for _, pid := range children(os.Getpid()) {
			if name, _ := os.ReadFile("/proc/" + pid + "/comm"); string(name) == "sleep\n" {
				return true
			}
		}
		return false
	})
	pids = append(pids, children(os.Getpid())...)
	fmt.Println("pids", strings.Join(pids, " "))
	time.Sleep(time.Hour)
}

// children lists the direct children of a process, its commands among them.
func children(pid int) []string {
	var out []string
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, t := range tasks {
		data, _ := os.ReadFile(t)
		out = append(out, strings.Fields(string(data))...)
	}
	return out
}

// REQ I1, REQ J2: kill -9 of the host. A second later no plugin and no command
// is left, nothing is in the temporary directory, and the next host clears the
// run directory.
func TestHostIsKilled(t *testing.T) {
	dir, tmp := t.TempDir(), t.TempDir()
	cmd := exec.Command("/proc/self/exe", "-test.run=^$")
	cmd.Env = append(os.Environ(), "HOST_TEST_HELPER=host", "HOST_TEST_ROOT="+dir, "HOST_TEST_PLUGINS="+hostile, "TMPDIR="+tmp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	fields := strings.Fields(line)
	if err != nil || len(fields) < 6 || fields[0] != "pids" { // 3 plugins, their command, and once more as children
		t.Fatalf("helper said %q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Second)
	for _, f := range fields[1:] {
		var pid int
		fmt.Sscan(f, &pid)
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is alive a second after its host", pid)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	cmd.Wait() // until then it may still hold its lock
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("%v left in the temporary directory", left)
	}
	root, err := pathsNew(dir)
	if err != nil {
		t.Fatal(err)
	}
	stale, _ := filepath.Glob(root.Run("plugins", hostPrefix+"*"))
	if len(stale) != 1 {
		t.Fatalf("the dead host left %v", stale)
	}
	h, err := New(Options{Root: root, Policy: &lax{}, Audit: &memory{}, Plugins: hostile})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := os.Stat(stale[0]); !os.IsNotExist(err) {
		t.Errorf("%s is still there", stale[0])
	}
}

// alive reports whether a process runs; one that is dead and not reaped yet does
// not.
func alive(pid int) bool {
	if unix.Kill(pid, 0) != nil {
		return false
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// A living host's directory is not taken for a dead one's.
func TestTwoHosts(t *testing.T) {
	root, err := pathsNew(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	opt := Options{Root: root, Policy: &lax{}, Audit: &memory{}, Plugins: hostile}
	one, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	tr, err := one.Transport("good", TransportUse{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Info(t.Context()); err != nil {
		t.Fatal(err)
	}
	two, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	two.Close()
	d, err := dial(t, tr, server(t, true))
	if err != nil {
		t.Fatal(err)
	}
	d.Conn.Close()
	one.Close()
	if left, _ := filepath.Glob(root.Run("plugins", hostPrefix+"*")); len(left) > 0 {
		t.Errorf("%v left in the run directory", left)
	}
	if _, err := one.Transport("good", TransportUse{}); err != ErrClosed {
		t.Errorf("a closed host gave a transport: %v", err)
	}
}

var _ net.Conn = (*prefixed)(nil)
