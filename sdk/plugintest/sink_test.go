package plugintest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/collect"
)

// These tests are of the SDK's sink; they live here because here is a host.

// script is a collector that is a function.
type script func(ctx context.Context, sink collect.Sink) error

func (s script) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	return s(ctx, sink)
}

// runnerScript runs commands itself.
type runnerScript struct {
	script
	run func(argv []string) (*os.File, collect.Exit)
}

type fakeProcess struct {
	out  *os.File
	exit collect.Exit
}

func (p fakeProcess) Stdout() *os.File                           { return p.out }
func (p fakeProcess) Wait(context.Context) (collect.Exit, error) { return p.exit, nil }

func (r runnerScript) Run(_ context.Context, argv []string, _ time.Duration) (collect.Process, error) {
	out, exit := r.run(argv)
	return fakeProcess{out, exit}, nil
}

// shell is a broker whose commands are functions.
type shell struct {
	commands map[string]func(w io.Writer) handoff.WaitReply

	mu      sync.Mutex
	last    uint64
	running map[uint64]chan handoff.WaitReply
	stopped int
}

func (s *shell) Open(_ context.Context, req handoff.OpenRequest) (*os.File, handoff.OpenReply, error) {
	return nil, handoff.OpenReply{}, fs.ErrPermission
}

func (s *shell) Run(_ context.Context, req handoff.RunRequest) (*os.File, handoff.RunReply, error) {
	do, ok := s.commands[strings.Join(req.Argv, " ")]
	if !ok {
		return nil, handoff.RunReply{}, fs.ErrNotExist
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, handoff.RunReply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	ch := make(chan handoff.WaitReply, 1)
	s.running[s.last] = ch
	go func() {
		rep := do(w)
		w.Close()
		ch <- rep
	}()
	return r, handoff.RunReply{Run: s.last}, nil
}

func (s *shell) Wait(ctx context.Context, req handoff.WaitRequest) (handoff.WaitReply, error) {
	s.mu.Lock()
	ch := s.running[req.Run]
	s.mu.Unlock()
	select {
	case rep := <-ch:
		return rep, nil
	case <-ctx.Done():
		return handoff.WaitReply{}, ctx.Err()
	}
}

func (s *shell) Stop(context.Context, handoff.StopRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped++
	return nil
}

// collectWith runs a collector and returns its events by name, and what it
// failed with as a whole.
func collectWith(t *testing.T, ctx context.Context, impl collect.Collector, b handoff.Broker) (map[string]*pluginv1.CollectEvent, error) {
	t.Helper()
	l, err := inProcess(wire.RoleCollect, func() any { return impl })
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if b != nil {
		l.channel.Serve(handoff.Serving(b))
	}
	r := &run{status: OK}
	c := &check{tb: r, subject: subject{role: wire.RoleCollect}}
	got, err := c.collection(ctx, l)
	if err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	if r.Failed() {
		t.Errorf("%v", r.log)
	}
	l.idle()
	last := make(map[string]*pluginv1.CollectEvent)
	for _, e := range got.events {
		last[e.GetName()] = e
	}
	return last, wire.ErrorOf(got.failed)
}

func TestSinkOutput(t *testing.T) {
	sh := &shell{running: make(map[uint64]chan handoff.WaitReply), commands: map[string]func(io.Writer) handoff.WaitReply{
		"ok":    func(w io.Writer) handoff.WaitReply { io.WriteString(w, "fine"); return handoff.WaitReply{} },
		"bad x": func(w io.Writer) handoff.WaitReply { return handoff.WaitReply{ExitCode: 3, Stderr: "no x\n"} },
		"slow":  func(w io.Writer) handoff.WaitReply { return handoff.WaitReply{TimedOut: true, ExitCode: 137} },
		"long": func(w io.Writer) handoff.WaitReply {
			io.Copy(w, io.LimitReader(zeros{}, 4<<20))
			return handoff.WaitReply{}
		},
	}}
	_, err := collectWith(t, context.Background(), script(func(_ context.Context, sink collect.Sink) error {
		if out, err := sink.Output("ok"); string(out) != "fine" || err != nil {
			t.Errorf("ok: %q, %v", out, err)
		}
		var exit *collect.ExitError
		if _, err := sink.Output("bad", "x"); !errors.As(err, &exit) || exit.Exit.Code != 3 || err.Error() != "bad x: exit code 3: no x" {
			t.Errorf("bad: %v", err)
		}
		if _, err := sink.Output("slow"); !errors.As(err, &exit) || !exit.Exit.TimedOut {
			t.Errorf("slow: %v", err)
		}
		if _, err := sink.Output("long"); err == nil || !strings.Contains(err.Error(), "bytes of output") {
			t.Errorf("long: %v", err)
		}
		if _, err := sink.Output("none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("none: %v", err)
		}
		if _, err := sink.Output(); err == nil {
			t.Error("an empty command line ran")
		}
		return nil
	}), sh)
	if err != nil {
		t.Error(err)
	}
	if sh.stopped == 0 {
		t.Error("the command with too much output was not stopped")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestSinkCommand(t *testing.T) {
	sh := &shell{running: make(map[uint64]chan handoff.WaitReply), commands: map[string]func(io.Writer) handoff.WaitReply{
		"fails": func(w io.Writer) handoff.WaitReply {
			io.WriteString(w, "half")
			return handoff.WaitReply{ExitCode: 2, Stderr: "broke"}
		},
		"slow": func(w io.Writer) handoff.WaitReply { return handoff.WaitReply{TimedOut: true, ExitCode: 137} },
	}}
	got, err := collectWith(t, context.Background(), script(func(_ context.Context, sink collect.Sink) error {
		return errors.Join(
			sink.Command(collect.Item{Name: "a"}, "fails"),
			sink.Command(collect.Item{Name: "b"}, "slow"),
			sink.Command(collect.Item{Name: "c"}, "none", "at", "all"))
	}), sh)
	if err != nil {
		t.Fatal(err)
	}
	if a := got["a"]; a.GetKind() != pluginv1.CollectEvent_KIND_END || a.GetExitCode() != 2 || a.GetReason() != "broke" || a.GetSource() != "fails" || a.GetFailure() != nil {
		t.Errorf("a: %v", a)
	}
	if b := got["b"]; !b.GetTruncated() || !strings.Contains(b.GetReason(), "time was over") {
		t.Errorf("b: %v", b)
	}
	if c := got["c"]; c.GetKind() != pluginv1.CollectEvent_KIND_ABSENT || c.GetSource() != "none at all" {
		t.Errorf("c: %v", c)
	}
}

// A host that runs no commands leaves them to the collector, if it can.
func TestSinkRunsItselfWhereTheHostDoesNot(t *testing.T) {
	command := func(_ context.Context, sink collect.Sink) error {
		return sink.Command(collect.Item{Name: "a"}, "date")
	}
	got, err := collectWith(t, context.Background(), script(command), nil)
	if err != nil || got["a"].GetKind() != pluginv1.CollectEvent_KIND_FAILED || got["a"].GetFailure().GetCode() != "unsupported" {
		t.Errorf("without a runner: %v, %v", got["a"], err)
	}
	r := runnerScript{script(command), func(argv []string) (*os.File, collect.Exit) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, argv)
		w.Close()
		return r, collect.Exit{Code: 1}
	}}
	got, err = collectWith(t, context.Background(), r, nil)
	if err != nil || got["a"].GetKind() != pluginv1.CollectEvent_KIND_END || got["a"].GetExitCode() != 1 {
		t.Errorf("with a runner: %v, %v", got["a"], err)
	}
}

func TestSinkHoldsTheRules(t *testing.T) {
	var kept collect.Sink
	got, err := collectWith(t, context.Background(), script(func(_ context.Context, sink collect.Sink) error {
		kept = sink
		if err := sink.Absent(collect.Item{Name: "a"}, "x"); err != nil {
			t.Error(err)
		}
		for _, name := range []string{"a", "../a", "/a", ""} {
			if err := sink.Absent(collect.Item{Name: name}, "x"); err == nil {
				t.Errorf("name %q was taken", name)
			}
		}
		for _, path := range []string{"relative", "/etc/../etc/passwd", ""} {
			if _, err := sink.Open(path); err == nil {
				t.Errorf("path %q was opened", path)
			}
		}
		if _, err := sink.Stream(collect.Item{Name: "open"}); err != nil {
			t.Error(err)
		}
		sink.Note("hello %s", "host")
		return sink.Failed(collect.Item{Name: "f"}, nil)
	}), nil)
	if err == nil || !strings.Contains(err.Error(), "1 streams open") {
		t.Errorf("a stream was left open: %v", err)
	}
	if e := got["open"]; e.GetKind() != pluginv1.CollectEvent_KIND_END || !e.GetTruncated() || e.GetFailure() == nil {
		t.Errorf("the open stream: %v", e)
	}
	if got["f"].GetFailure().GetMessage() == "" {
		t.Errorf("a failure without words: %v", got["f"])
	}
	if err := kept.Absent(collect.Item{Name: "late"}, "x"); err == nil {
		t.Error("the sink works after the collection")
	}
	kept.Note("nobody hears this")
}

// More files than the host's backlog holds, from many goroutines, to a host
// that reads one after the other.
func TestSinkManyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	const n = 5 * handoff.MaxBacklog
	got, err := collectWith(t, context.Background(), script(func(_ context.Context, sink collect.Sink) error {
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				if err := sink.Path(collect.Item{Name: fmt.Sprint("f/", i)}, path); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		return nil
	}), nil)
	if err != nil || len(got) != n {
		t.Errorf("%d items of %d, %v", len(got), n, err)
	}
}

// When the collection is cancelled, a command that runs is stopped.
func TestSinkStopsCommands(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	sh := &shell{running: make(map[uint64]chan handoff.WaitReply), commands: map[string]func(io.Writer) handoff.WaitReply{
		"tail": func(io.Writer) handoff.WaitReply { <-forever; return handoff.WaitReply{} },
	}}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	ended := make(chan error, 1)
	collectWith(t, ctx, script(func(_ context.Context, sink collect.Sink) error {
		err := sink.Command(collect.Item{Name: "a"}, "tail")
		ended <- err
		return err
	}), sh)
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the collector does not learn of it")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the command still runs")
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.stopped != 1 {
		t.Errorf("stopped %d commands", sh.stopped)
	}
}
