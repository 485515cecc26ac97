package sdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/sdk"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/needs"
	"github.com/latchstring/latchstring/sdk/plugintest"
	"github.com/latchstring/latchstring/sdk/transport"
)

// The test binary is the plugin, when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"serve", "describe", "-debug", "by-hand", "-help"}, os.Args[1]) {
		fmt.Println("a plugin that prints before it serves")
		sdk.Serve(testPlugin)
	}
	os.Exit(m.Run())
}

var testPlugin = sdk.Plugin{
	Name: "sdk-test", Version: "1.2.3",
	Transports: map[string]func() transport.Transport{
		"direct": func() transport.Transport { return new(direct) },
	},
	Collectors: map[string]func() collect.Collector{
		"hello": func() collect.Collector { return hello{} },
	},
	Auths: map[string]func() auth.Method{
		"nobody": func() auth.Method { return nobody{} },
	},
	EventSinks: map[string]func() eventsink.Sink{
		"log": func() eventsink.Sink { return logSink{} },
	},
}

// direct dials, prints, and panics on demand.
type direct struct {
	settings struct {
		Token config.Secret `config:"token" help:"nothing uses it"`
	}
}

func (d *direct) Config() any       { return &d.settings }
func (d *direct) Help() string      { return "dials the target itself" }
func (d *direct) Needs() needs.List { return needs.List{Ports: []string{"*"}} }

func (d *direct) Dial(ctx context.Context, t transport.Target) (net.Conn, error) {
	fmt.Println("printing in a method", strings.Repeat("x", 100_000))
	if t.Address == "panic:1" {
		panic("with " + d.settings.Token.Reveal())
	}
	slog.Info("dialling", "token", d.settings.Token, "careless", d.settings.Token.Reveal())
	return new(net.Dialer).DialContext(ctx, t.Network, t.Address)
}

type hello struct{}

func (hello) Collect(_ context.Context, _ collect.Request, sink collect.Sink) error {
	w, err := sink.Stream(collect.Item{Name: "hello.txt", Source: "test"})
	if err != nil {
		return err
	}
	defer w.Close()
	w.WriteString("hello\n")
	return nil
}

type nobody struct{}

func (nobody) Authenticate(ctx context.Context, _ auth.Request, talk auth.Conversation) (auth.Identity, error) {
	if _, err := talk.Ask(ctx, auth.Field{Name: "user"}); err != nil {
		return auth.Identity{}, err
	}
	return auth.Identity{}, auth.Errorf(auth.BadLogin, "", "nobody may log in")
}

type logSink struct{}

func (logSink) Deliver(context.Context, eventsink.Event) error { return nil }

// self starts this test binary as a plugin.
func self(_ context.Context, args, env []string, dir string, handoff *os.File) (*plugintest.Process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(exe, args...)
	cmd.Env, cmd.Dir = append([]string{"GOCOVERDIR=" + os.TempDir(), "GORACE=atexit_sleep_ms=0"}, env...), dir
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if handoff != nil {
		cmd.ExtraFiles = []*os.File{handoff}
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &plugintest.Process{Pid: cmd.Process.Pid, Stdout: stdout, Stderr: stderr, Kill: sync.OnceFunc(func() {
		cmd.Process.Kill()
		go cmd.Wait()
	})}, nil
}

// The suites pass over the real process boundary, with a plugin that prints to
// stdout wherever it can.
func TestBinary(t *testing.T) {
	b := plugintest.Binary{Start: self, Options: func(string) plugintest.Options { return plugintest.Options{Short: true} }}
	roles, err := b.Roles(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"auth/nobody", "collect/hello", "eventsink/log", "transport/direct"}; !slices.Equal(roles, want) {
		t.Errorf("roles %v", roles)
	}
	for _, full := range roles {
		t.Run(full, func(t *testing.T) {
			results, err := b.Check(context.Background(), full)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				if r.Status == plugintest.Failed {
					t.Errorf("%s: %s", r.Case, strings.Join(r.Log, "\n"))
				}
			}
		})
	}
}

func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, []string{"GOCOVERDIR=" + t.TempDir(), "GORACE=atexit_sleep_ms=0"}
	cmd.Run()
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestDescribe(t *testing.T) {
	out, stderr, code := run(t, "describe")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var d wire.Description
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatalf("stdout is not JSON alone: %v\n%s", err, out)
	}
	r, ok := d.Find("transport", "direct")
	if !ok || d.Name != "sdk-test" || d.Version != "1.2.3" || d.SDK != sdk.Version || r.Help == "" || !r.Needs.Port(443) {
		t.Errorf("described as %+v", d)
	}
	if !strings.Contains(string(r.Config), `"writeOnly": true`) && !strings.Contains(string(r.Config), `"writeOnly":true`) {
		t.Errorf("the schema does not mark the secret: %s", r.Config)
	}
	if !strings.Contains(stderr, "a plugin that prints") {
		t.Errorf("what was printed is not on stderr: %q", stderr)
	}
}

func TestStartedByHand(t *testing.T) {
	for _, args := range [][]string{{"serve", "transport/direct"}, {"serve"}, {"serve", "transport/none"}, {"by-hand"}} {
		_, stderr, code := run(t, args...)
		if code != 2 || !strings.Contains(stderr, "transport/direct") {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
	if _, stderr, code := run(t, "-help"); code != 0 || !strings.Contains(stderr, "plugincheck") {
		t.Errorf("help: exit code %d, %q", code, stderr)
	}
}

// A developer's plugin prints how to attach, and the suite runs against it.
func TestDebug(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	cmd := exec.Command(exe, "-debug", "transport/direct")
	cmd.Env = []string{"TMPDIR=" + tmp, "GOCOVERDIR=" + tmp, "GORACE=atexit_sleep_ms=0"}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var attach string
	for buf, got := make([]byte, 4096), ""; attach == ""; {
		n, err := stdout.Read(buf)
		if err != nil {
			t.Fatalf("it printed no way to attach: %q", got)
		}
		got += string(buf[:n])
		if _, rest, ok := strings.Cut(got, "plugincheck --attach '"); ok {
			attach, _, _ = strings.Cut(rest, "'")
		}
	}
	go io.Copy(io.Discard, stdout)
	results, err := plugintest.Binary{Options: func(string) plugintest.Options {
		return plugintest.Options{Short: true}
	}}.CheckAttached(context.Background(), attach)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Status == plugintest.Failed {
			t.Errorf("%s: %v", r.Case, r.Log)
		}
	}
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
	if left, _ := filepath.Glob(tmp + "/plugin*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// processGone reports whether a process ends in time.
func processGone(cmd *exec.Cmd, limit time.Duration) bool {
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	select {
	case <-ended:
		return true
	case <-time.After(limit):
		return false
	}
}
