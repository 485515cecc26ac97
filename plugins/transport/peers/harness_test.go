package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/plugins/transport/https"
	"github.com/latchstring/latchstring/plugins/transport/socks"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/transport"
)

// The account at the proxies.
const (
	account  = "ada"
	password = "c4n4ry-p4ssword"
)

// need skips the test unless all programs are installed.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed; make deps installs it", p)
		}
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// workdir is a directory that proxies which give up root can use.
func workdir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "peer-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// freeAddr is a loopback address where nobody listens at the moment.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

// lockedBuffer takes the output of a process.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// background starts a program, waits until it answers at addr, and ends it and
// its children with the test. An empty addr waits for nothing.
func background(t *testing.T, addr string, env []string, name string, args ...string) {
	t.Helper()
	var out lockedBuffer
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { cmd.Wait(); close(done) }()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
	})
	for end := time.Now().Add(20 * time.Second); addr != ""; {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-done:
			t.Fatalf("%s ended: %s", name, out.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not answer at %s: %s", name, addr, out.String())
		}
	}
}

// command runs a program to its end.
func command(t *testing.T, env []string, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// target is where connections shall lead: it sends a greeting and then echoes.
func target(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.WriteString(conn, "hello\n") // at once: behind the proxy's answer
				io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

func configured(t *testing.T, name string, settings map[string]any) transport.Transport {
	t.Helper()
	b, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	var tr interface {
		transport.Transport
		Config() any
	}
	switch name {
	case https.Name:
		tr = https.New()
	case socks.Name:
		tr = socks.New()
	}
	if err := config.Decode(tr.Config(), b); err != nil {
		t.Fatal(err)
	}
	return tr
}

// through dials the target and checks that bytes go both ways, whole.
func through(t *testing.T, tr transport.Transport, address string) {
	t.Helper()
	conn, err := tr.Dial(t.Context(), transport.Target{Network: "tcp", Address: address})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	br := bufio.NewReader(conn)
	if line, err := br.ReadString('\n'); line != "hello\n" {
		t.Fatalf("greeting: %q, %v", line, err)
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
	go conn.Write(data)
	got := make([]byte, len(data))
	if _, err := io.ReadFull(br, got); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("echo of 1 MiB: %v, equal %v", err, bytes.Equal(got, data))
	}
}

// refused dials and expects a failure of one of the codes that does not repeat
// the password.
func refused(t *testing.T, tr transport.Transport, address string, codes ...error) {
	t.Helper()
	conn, err := tr.Dial(t.Context(), transport.Target{Network: "tcp", Address: address})
	if err == nil {
		conn.Close()
		t.Fatal("the connection was made")
	}
	if strings.Contains(err.Error(), password) {
		t.Errorf("the password is in the error: %v", err)
	}
	for _, code := range codes {
		if errors.Is(err, code) {
			return
		}
	}
	t.Errorf("got %v, want one of %v", err, codes)
}

// as are the settings of a transport with a login.
func as(settings map[string]any, user, password string) map[string]any {
	all := map[string]any{"user": user, "password": password, "timeout": "10s"}
	for k, v := range settings {
		all[k] = v
	}
	return all
}

func squidHelper(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join("/usr/lib/squid", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("squid's %s is not installed", name)
	}
	return path
}
