package sdk_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/testdata/until"
)

// plugin is a plugin process as its host sees it.
type plugin struct {
	cmd     *exec.Cmd
	channel *handoff.Channel
	conn    *grpc.ClientConn
	dir     string
	stderr  *lockedBuffer
}

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

// launch starts the test binary as a plugin.
func launch(t *testing.T, full string) *plugin {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host, child, err := handoff.Pair()
	if err != nil {
		t.Fatal(err)
	}
	p := &plugin{cmd: exec.Command(exe, "serve", full), channel: host, dir: t.TempDir(), stderr: new(lockedBuffer)}
	p.cmd.Env = []string{wire.EnvCookie + "=" + wire.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_UNIX_SOCKET_DIR=" + p.dir, "GOCOVERDIR=" + p.dir, "GORACE=atexit_sleep_ms=0"}
	p.cmd.ExtraFiles, p.cmd.Stderr = []*os.File{child}, p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	child.Close()
	t.Cleanup(func() {
		host.Close()
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
	r := bufio.NewReader(stdout)
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("no handshake: %v; %s", err, p.stderr)
	}
	parts := strings.Split(strings.TrimSpace(line), "|")
	if len(parts) < 5 || parts[1] != "1" || parts[4] != "grpc" {
		t.Fatalf("handshake %q", line)
	}
	// Nothing comes after the handshake, whatever the plugin prints.
	if rest, err := r.ReadString('\n'); err == nil || rest != "" {
		t.Errorf("more on stdout: %q, %v", rest, err)
	}
	p.conn, err = grpc.NewClient("unix:"+parts[3], append(wire.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close() })
	return p
}

// says waits until the plugin has written text to stderr.
func (p *plugin) says(t *testing.T, text string) {
	t.Helper()
	until.True(t, fmt.Sprintf("%q is on stderr", text), func() bool { return strings.Contains(p.stderr.String(), text) }, p.stderr)
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestPluginDiesWithItsHost(t *testing.T) {
	p := launch(t, "transport/direct")
	if _, err := pluginv1.NewRoleClient(p.conn).Health(soon(t), &pluginv1.HealthRequest{}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p.channel.Close() // what the host's death does
	if !processGone(p.cmd, 5*time.Second) {
		t.Fatal("the plugin lives on")
	}
	if took := time.Since(began); took > 300*time.Millisecond {
		t.Errorf("it took %v to end", took)
	}
	if left, _ := filepath.Glob(p.dir + "/plugin*"); len(left) > 0 {
		t.Errorf("sockets left behind: %v", left)
	}
}

// A panic is one failed call. The stack is on stderr; the value of the panic,
// which held a secret, is nowhere.
func TestPanicIsOneFailedCall(t *testing.T) {
	p := launch(t, "transport/direct")
	resp, err := pluginv1.NewRoleClient(p.conn).Configure(soon(t), &pluginv1.ConfigureRequest{Json: []byte(`{"token":"hunter2-hunter2"}`)})
	if err != nil || len(resp.GetProblems()) > 0 {
		t.Fatalf("configure: %v, %v", resp, err)
	}
	dial := func(address string) *pluginv1.DialResponse {
		resp, err := pluginv1.NewTransportClient(p.conn).Dial(soon(t), &pluginv1.DialRequest{Handoff: p.channel.NewID(), Address: address})
		if err != nil {
			t.Fatalf("dial %s: %v", address, err)
		}
		return resp
	}
	f := dial("panic:1").GetFailure()
	if f.GetCode() != string(failure.Panicked) || strings.Contains(f.GetMessage(), "hunter2") {
		t.Errorf("failure %v", f)
	}
	p.says(t, "direct).Dial") // the stack
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if f := dial(ln.Addr().String()).GetFailure(); f != nil {
		t.Errorf("the next dial: %v", f)
	}
	p.says(t, `"@level":"info","@message":"dialling"`)
	if log := p.stderr.String(); strings.Contains(log, "hunter2") {
		t.Errorf("the secret is on stderr: %s", log)
	}
}

func TestConfigureOnlyOnce(t *testing.T) {
	p := launch(t, "transport/direct")
	role := pluginv1.NewRoleClient(p.conn)
	for i := range 2 {
		resp, err := role.Configure(soon(t), &pluginv1.ConfigureRequest{Json: []byte(`{}`)})
		if err != nil || len(resp.GetProblems()) != i {
			t.Errorf("configure %d: %v, %v", i, resp, err)
		}
	}
}

// A host that breaks the rules of the handoff channel loses its plugin.
func TestPluginDistrustsItsHost(t *testing.T) {
	p := launch(t, "collect/hello")
	p.channel.Pass(1, os.Stdin)
	p.channel.Pass(1, os.Stdin)
	if !processGone(p.cmd, 5*time.Second) {
		t.Error("the plugin goes on")
	}
}

// A plugin that cannot listen says why and fails.
func TestNoPlaceForTheSocket(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	host, child, err := handoff.Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	defer child.Close()
	cmd := exec.Command(exe, "serve", "collect/hello")
	cmd.Env = []string{wire.EnvCookie + "=" + wire.CookieValue, "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_UNIX_SOCKET_DIR=/no/such/directory", "GOCOVERDIR=" + t.TempDir()}
	cmd.ExtraFiles = []*os.File{child}
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), "/no/such/directory") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// Without a handoff channel there is no host, whatever the environment says.
func TestNoChannel(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "serve", "collect/hello")
	cmd.Env = []string{wire.EnvCookie + "=" + wire.CookieValue, "GOCOVERDIR=" + t.TempDir()}
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), "handoff") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
