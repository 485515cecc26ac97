package relay_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/blob"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store/natsstore"
)

// This binary is also a relay in a process of its own, to be killed and to be
// measured.
const (
	envRoot   = "LATCHSTRING_TEST_RELAY_ROOT"
	envNATS   = "LATCHSTRING_TEST_RELAY_NATS"
	envFramed = "LATCHSTRING_TEST_RELAY_FRAMED"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(envRoot); dir != "" {
		if err := serveChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serveChild(dir string) (err error) {
	root, err := paths.New(dir)
	if err != nil {
		return err
	}
	loaded, err := setup.Load(root)
	if err != nil {
		return err
	}
	loaded.Config.Limits.KeepFree = 0
	loaded.Config.Remote.SourceRate, loaded.Config.Remote.PerSource = 100_000, 50_000
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	var engine *natsstore.Engine
	if url := os.Getenv(envNATS); url != "" {
		engine, err = natsstore.Connect(url, "")
	} else {
		engine, err = natsstore.Embed(loaded.Places.Store, log)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	blobs, err := blob.NewDir(loaded.Places.Blobs)
	if err != nil {
		return err
	}
	debug.SetGCPercent(50) // as rss does
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	free := make(chan os.Signal, 1)
	signal.Notify(free, syscall.SIGUSR1)
	go func() {
		for range free {
			debug.FreeOSMemory()
			fmt.Println("freed")
		}
	}()
	srv, err := relay.New(ctx, relay.Options{Relay: loaded, Engine: engine, Blobs: blobs, Log: log, AlwaysFramed: os.Getenv(envFramed) != ""})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", loaded.Config.Listen)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return srv.Serve(ctx, ln)
}

// child is a relay in a process of its own.
type child struct {
	cmd *exec.Cmd
	out *bufio.Reader
}

func startChild(t testing.TB, root paths.Root, env ...string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), append(env, envRoot+"="+root.Dir)...)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	t.Cleanup(c.kill)
	c.says(t, "ready")
	return c
}

// says waits for a line.
func (c *child) says(t testing.TB, want string) {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if strings.TrimSpace(line) != want {
		t.Fatalf("the relay says %q, %v; want %q", line, err, want)
	}
}

func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

func decodeJSON(r io.Reader, v any) error { return json.NewDecoder(r).Decode(v) }
