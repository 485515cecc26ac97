package plugintest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/collect"
)

// Collector runs the conformance suite of collectors against what newImpl
// makes. It runs on the machine as it is; commands are those of
// Options.Commands.
func Collector(t *testing.T, newImpl func() collect.Collector, opts ...Options) {
	t.Helper()
	runSuite(t, wire.RoleCollect, first(opts), func() any { return newImpl() })
}

var collectCases = []aCase{
	{"collect", "every item that begins ends, as a file or a pipe, with a good name of its own", testCollect},
	{"declared", "only what is declared is asked for", testDeclared},
	{"absent", "what is not on the machine is absent, not an error", testAbsent},
	{"cancel-collection", "a cancelled collection ends within a second, whoever reads or does not", testCancelCollection},
	{"plan", "a plan names what a collection brings", testPlan},
	{"again", "collections leave no descriptor behind", testAgain},
}

// collectTime bounds one collection of a suite.
const collectTime = 2 * time.Minute

// collection is what a host saw of one.
type collection struct {
	events []*pluginv1.CollectEvent
	failed *pluginv1.Failure // of the collector as a whole
	bytes  int64
}

// collection runs one and reads its items in the order in which they begin,
// as a slow host does.
func (c *check) collection(ctx context.Context, l *link) (collection, error) {
	var out collection
	stream, err := l.collect.Collect(ctx, &pluginv1.CollectRequest{})
	if err != nil {
		return out, err
	}
	type begun struct {
		name string
		id   uint64
	}
	queue := make(chan begun, 1<<16)
	read := make(chan int64, 1)
	go func() {
		var total int64
		for b := range queue {
			total += c.readItem(ctx, l, b.name, b.id)
		}
		read <- total
	}()
	finish := func() { close(queue); out.bytes = <-read }
	for {
		e, err := stream.Recv()
		if err != nil {
			finish()
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return out, err
		}
		c.noCanary("an event", e.String())
		if e.GetKind() == pluginv1.CollectEvent_KIND_FAILED && e.GetName() == "" {
			out.failed = e.GetFailure()
			continue
		}
		out.events = append(out.events, e)
		if e.GetKind() == pluginv1.CollectEvent_KIND_BEGIN {
			queue <- begun{e.GetName(), e.GetHandoff()}
		}
	}
}

// readItem takes an item's descriptor, looks what it is, and reads it.
func (c *check) readItem(ctx context.Context, l *link, name string, id uint64) int64 {
	f, err := l.channel.Take(ctx, id)
	if err != nil {
		if ctx.Err() == nil {
			c.Errorf("item %s began, but no descriptor came: %v", name, err)
		}
		return 0
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		c.Errorf("item %s: %v", name, err)
		return 0
	}
	if !st.Mode().IsRegular() && st.Mode()&os.ModeNamedPipe == 0 {
		c.Errorf("item %s is a %v; want a file or a pipe", name, st.Mode().Type())
		return 0
	}
	if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); err == nil && flags&unix.O_ACCMODE != unix.O_RDONLY {
		c.Errorf("item %s can be written to; open it for reading only", name)
	}
	stop := context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	n, err := io.Copy(io.Discard, io.LimitReader(f, 256<<20))
	if err != nil && ctx.Err() == nil {
		c.Logf("read item %s: %v", name, err)
	}
	return n
}

// broker plays the host for commands, and opens nothing that the collector may
// not open by itself.
type broker struct {
	commands map[string]string
	asked    func(what string, declared bool)
	desc     wire.RoleDescription
}

func (b broker) Open(_ context.Context, req handoff.OpenRequest) (*os.File, handoff.OpenReply, error) {
	b.asked("path "+req.Path, b.desc.Needs.Path(req.Path))
	return nil, handoff.OpenReply{}, os.ErrPermission
}

func (b broker) Run(_ context.Context, req handoff.RunRequest) (*os.File, handoff.RunReply, error) {
	line := strings.Join(req.Argv, " ")
	b.asked("command "+line, b.desc.Needs.Command(req.Argv))
	out, ok := b.commands[line]
	if !ok {
		return nil, handoff.RunReply{}, fmt.Errorf("%s: %w", req.Argv[0], os.ErrNotExist)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, handoff.RunReply{}, err
	}
	go func() {
		io.WriteString(w, out)
		w.Close()
	}()
	return r, handoff.RunReply{Run: 1}, nil
}

func (b broker) Wait(context.Context, handoff.WaitRequest) (handoff.WaitReply, error) {
	return handoff.WaitReply{}, nil
}

func (b broker) Stop(context.Context, handoff.StopRequest) error { return nil }

// collector starts a collector with a host that answers it.
func (c *check) collector(commands map[string]string) *link {
	c.Helper()
	l := c.start("")
	l.channel.Serve(handoff.Serving(broker{commands: commands, desc: c.desc, asked: func(string, bool) {}}))
	return l
}

func testCollect(c *check) {
	l := c.collector(c.opts.Commands)
	got, err := c.collection(c.ctx(collectTime), l)
	if err != nil {
		c.Fatalf("collect: %v", err)
	}
	if got.failed != nil {
		c.failure("collect", got.failed)
		c.Errorf("the collector as a whole failed: %v", wire.ErrorOf(got.failed))
	}
	items := 0
	open := make(map[uint64]string)
	names := make(map[string]bool)
	for _, e := range got.events {
		switch e.GetKind() {
		case pluginv1.CollectEvent_KIND_NOTE:
			continue
		case pluginv1.CollectEvent_KIND_END:
			if open[e.GetHandoff()] != e.GetName() {
				c.Errorf("item %s ends, but did not begin", e.GetName())
			}
			delete(open, e.GetHandoff())
			continue
		case pluginv1.CollectEvent_KIND_BEGIN:
			open[e.GetHandoff()] = e.GetName()
		case pluginv1.CollectEvent_KIND_FAILED:
			c.failure("item "+e.GetName(), e.GetFailure())
		case pluginv1.CollectEvent_KIND_ABSENT:
			if e.GetReason() == "" {
				c.Errorf("item %s is absent without a reason", e.GetName())
			}
		default:
			c.Errorf("event of unknown kind %v", e.GetKind())
		}
		items++
		if err := collect.CheckName(e.GetName()); err != nil {
			c.Errorf("%v", err)
		}
		if names[e.GetName()] {
			c.Errorf("item %s is there twice", e.GetName())
		}
		names[e.GetName()] = true
		if e.GetSource() == "" {
			c.Logf("item %s does not say where it comes from", e.GetName())
		}
	}
	for _, name := range open {
		c.Errorf("item %s began and did not end", name)
	}
	if items == 0 {
		c.Errorf("nothing was collected, nothing absent and nothing failed: a bundle would not even show that the collector ran")
	}
	c.Logf("%d items, %d bytes", items, got.bytes)
}

func testDeclared(c *check) {
	l := c.start("")
	asked := make(chan string, 1<<12)
	l.channel.Serve(handoff.Serving(broker{commands: c.opts.Commands, desc: c.desc, asked: func(what string, declared bool) {
		if !declared {
			select {
			case asked <- what:
			default:
			}
		}
	}}))
	if _, err := c.collection(c.ctx(collectTime), l); err != nil {
		c.Fatalf("collect: %v", err)
	}
	for {
		select {
		case what := <-asked:
			c.Errorf("asked for %s, which Needs() does not list", what)
		default:
			return
		}
	}
}

func testAbsent(c *check) {
	got, err := c.collection(c.ctx(collectTime), c.collector(nil))
	if err != nil {
		c.Fatalf("collect on a machine without commands: %v", err)
	}
	if got.failed != nil {
		c.Errorf("without its commands the collector as a whole fails: %v", wire.ErrorOf(got.failed))
	}
}

func testCancelCollection(c *check) {
	// Nobody reads: whatever the collector writes fills its pipe.
	c.within("ending a cancelled collection", time.Second, func() time.Duration {
		l := c.collector(c.opts.Commands)
		ctx, cancel := context.WithCancel(c.ctx(collectTime))
		defer cancel()
		stream, err := l.collect.Collect(ctx, &pluginv1.CollectRequest{})
		if err != nil {
			c.Fatalf("collect: %v", err)
		}
		for {
			e, err := stream.Recv()
			if err != nil || e.GetKind() == pluginv1.CollectEvent_KIND_BEGIN {
				break
			}
		}
		began := time.Now()
		cancel()
		for err == nil {
			_, err = stream.Recv()
		}
		l.idle()
		return time.Since(began)
	})
}

func testPlan(c *check) {
	l := c.collector(c.opts.Commands)
	if !hasTrait(c.desc, wire.TraitPlan) {
		c.Skipf("the collector does not plan")
	}
	resp, err := l.collect.Plan(c.ctx(collectTime), &pluginv1.PlanRequest{})
	if err != nil || resp.GetFailure() != nil {
		c.Fatalf("plan: %v, %v", err, wire.ErrorOf(resp.GetFailure()))
	}
	names := make(map[string]bool)
	for _, item := range resp.GetItems() {
		if err := collect.CheckName(item.GetName()); err != nil {
			c.Errorf("plan: %v", err)
		}
		if names[item.GetName()] {
			c.Errorf("plan: item %s is there twice", item.GetName())
		}
		names[item.GetName()] = true
	}
}

func testAgain(c *check) {
	l := c.collector(c.opts.Commands)
	rounds := 10
	if c.opts.Short {
		rounds = 3
	}
	run := func() {
		if _, err := c.collection(c.ctx(collectTime), l); err != nil {
			c.Fatalf("collect again: %v", err)
		}
	}
	run()
	before, _ := l.descriptors()
	for range rounds {
		run()
	}
	c.settled(l, before+2)
}
