package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/latchstring/latchstring/core/policy"
)

// Output is a command that runs for the host itself, without a plugin.
type Output struct {
	Stdout *os.File // the reader's end; the caller reads it to its end and closes it
	run    *running
}

// Output runs a command as it runs those of collectors: without a shell, with a
// fixed environment and time limit, in a process group that ends with it, and
// only if policy lets it. who is named to policy in place of a plugin. An error
// that wraps fs.ErrNotExist says that there is no such program.
func (h *Host) Output(who string, argv []string) (*Output, error) {
	if len(argv) == 0 {
		return nil, errors.New("run: no command")
	}
	program, err := lookCommand(argv[0])
	if err != nil {
		return nil, err
	}
	line := strings.Join(append([]string{program}, argv[1:]...), " ")
	if err := h.opt.Policy.Decide(policy.HostRun, policy.Facts{policy.Plugin: who, policy.Command: line}).Err(); err != nil {
		return nil, err
	}
	if err := safeProgram(program); err != nil {
		return nil, fmt.Errorf("run %s: %w", clip(line), err)
	}
	r, out, err := startCommand(program, argv, h.opt.Timeouts.Command)
	if err != nil {
		return nil, err
	}
	return &Output{Stdout: out, run: r}, nil
}

// Ended is how a command ended.
type Ended struct {
	ExitCode int    // 128 and the signal for one that a signal ended
	Stderr   string // the end of it, cleaned
	TimedOut bool
}

// Wait waits for the end of the command, and ends it when ctx ends first.
func (o *Output) Wait(ctx context.Context) (Ended, error) {
	select {
	case <-o.run.done:
	case <-ctx.Done():
		o.run.kill(false)
		return Ended{}, context.Cause(ctx)
	}
	rep := o.run.reply()
	return Ended{ExitCode: rep.ExitCode, Stderr: rep.Stderr, TimedOut: rep.TimedOut}, nil
}
