package plugintest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Status is how a case ended.
type Status string

// The ways in which a case ends.
const (
	OK      Status = "ok"
	Failed  Status = "FAIL"
	Skipped Status = "skip"
)

// Result is one case of a suite, run outside of a Go test.
type Result struct {
	Plugin string        `json:"plugin"` // ROLE/NAME
	Case   string        `json:"case"`
	Rule   string        `json:"rule"` // what it demands
	Status Status        `json:"status"`
	Took   time.Duration `json:"took_ns"`
	Log    []string      `json:"log,omitempty"` // what was wrong, or why it was skipped
}

// Binary is a plugin program to check.
type Binary struct {
	Start Starter

	// Options returns the options for ROLE/NAME; nil for the zero Options.
	Options func(full string) Options

	// Report is called with each result as it comes; nil for no report.
	Report func(Result)
}

// Roles asks the program for its description and returns ROLE/NAME of all that
// it serves.
func (b Binary) Roles(ctx context.Context) ([]string, error) {
	d, err := b.description(ctx)
	var full []string
	for _, r := range d.Roles {
		full = append(full, r.Role+"/"+r.Name)
	}
	return full, err
}

// Needs asks the program for its description and returns what each ROLE/NAME
// needs.
func (b Binary) Needs(ctx context.Context) (map[string]needs.List, error) {
	d, err := b.description(ctx)
	out := make(map[string]needs.List)
	for _, r := range d.Roles {
		out[r.Role+"/"+r.Name] = r.Needs
	}
	return out, err
}

func (b Binary) description(ctx context.Context) (wire.Description, error) {
	out, err := b.describe(ctx)
	if err != nil {
		return wire.Description{}, err
	}
	return wire.ParseDescription([]byte(out))
}

// describe runs the program's describe command.
func (b Binary) describe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	p, err := b.Start(ctx, []string{"describe"}, nil, "", nil)
	if err != nil {
		return "", err
	}
	defer p.Kill()
	stop := context.AfterFunc(ctx, p.Kill) // one that hangs
	defer stop()
	stderr := new(buffer)
	var reading sync.WaitGroup
	reading.Go(func() { io.Copy(stderr, io.LimitReader(p.Stderr, maxKept)) })
	out, err := io.ReadAll(io.LimitReader(p.Stdout, wire.MessageLimit))
	if err != nil {
		return "", err
	}
	if len(out) == 0 {
		p.Kill()
		reading.Wait()
		return "", fmt.Errorf("describe printed nothing to stdout; stderr: %s", stderr)
	}
	return string(out), nil
}

// Check runs the suite of ROLE/NAME against the program.
func (b Binary) Check(ctx context.Context, full string) ([]Result, error) {
	role, name, err := wire.ParseName(full)
	if err != nil {
		return nil, err
	}
	return b.run(ctx, full, name, subject{
		role:  role,
		open:  func() (*link, error) { return startProcess(b.Start, full) },
		print: func() (string, error) { return b.describe(ctx) },
	})
}

// CheckAttached runs the suite against the plugin that runs under a debugger;
// attach is what it printed.
func (b Binary) CheckAttached(ctx context.Context, attach string) ([]Result, error) {
	var at wire.Reattach
	if err := json.Unmarshal([]byte(attach), &at); err != nil {
		return nil, fmt.Errorf("read where to attach: %w", err)
	}
	role, name, err := wire.ParseName(at.Plugin)
	if err != nil {
		return nil, err
	}
	return b.run(ctx, at.Plugin, name, subject{role: role, open: func() (*link, error) { return attachTo(at) }})
}

func (b Binary) run(ctx context.Context, full, name string, s subject) ([]Result, error) {
	var o Options
	if b.Options != nil {
		o = b.Options(full)
	}
	var all []Result
	for _, one := range cases(s.role) {
		if err := ctx.Err(); err != nil {
			return all, context.Cause(ctx)
		}
		r := &run{}
		began := time.Now()
		if slices.Contains(o.Skip, one.name) {
			r.status, r.log = Skipped, []string{"left out"}
		} else {
			c := &check{tb: r, opts: o, subject: s}
			c.desc.Name = name
			r.do(func() { one.run(c) })
		}
		res := Result{Plugin: full, Case: one.name, Rule: one.rule, Status: r.status, Took: time.Since(began), Log: r.log}
		all = append(all, res)
		if b.Report != nil {
			b.Report(res)
		}
	}
	return all, nil
}

// ErrFailed says that a plugin does not keep the rules.
var ErrFailed = errors.New("the plugin does not keep the rules")

// Verdict returns ErrFailed when a result is a failure.
func Verdict(results []Result) error {
	for _, r := range results {
		if r.Status == Failed {
			return ErrFailed
		}
	}
	return nil
}

var _ tb = (*run)(nil)

// run is the tb of one case outside of a Go test.
type run struct {
	mu      sync.Mutex
	status  Status
	log     []string
	cleanup []func()
}

// do runs a case in a goroutine, which Fatalf and Skipf end.
func (r *run) do(f func()) {
	r.status = OK
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("the suite panicked: %v", p)
			}
			r.mu.Lock()
			todo := r.cleanup
			r.mu.Unlock()
			for i := len(todo) - 1; i >= 0; i-- {
				todo[i]()
			}
		}()
		f()
	}()
	<-done
}

func (r *run) note(s Status, format string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s != "" && r.status != Failed {
		r.status = s
	}
	r.log = append(r.log, fmt.Sprintf(format, args...))
}

func (r *run) Helper() {}

func (r *run) Errorf(format string, args ...any) { r.note(Failed, format, args) }

func (r *run) Fatalf(format string, args ...any) {
	r.note(Failed, format, args)
	runtime.Goexit()
}

func (r *run) Skipf(format string, args ...any) {
	r.note(Skipped, format, args)
	runtime.Goexit()
}

func (r *run) Logf(format string, args ...any) { r.note("", format, args) }

func (r *run) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status == Failed
}

func (r *run) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanup = append(r.cleanup, f)
}
