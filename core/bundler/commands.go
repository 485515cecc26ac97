package bundler

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/policy"
)

// Commands is the collector of the command lines that policy names
// (bundles.commands). It runs only where there are some.
const Commands = "commands"

type commands struct{ b *Bundler }

// Info implements bundle.Collector.
func (c commands) Info() bundle.CollectorInfo {
	return bundle.CollectorInfo{Name: Commands, Version: c.b.p.Version}
}

// Plan implements bundle.Collector.
func (c commands) Plan(context.Context, bundle.Request) ([]bundle.Planned, error) {
	return c.plan(Commands, c.b.p.Policy.BundleCommands()), nil
}

func (c commands) plan(who string, lines [][]string) (out []bundle.Planned) {
	for _, argv := range lines {
		out = append(out, bundle.Planned{Collector: who, Name: commandItem(argv), Source: strings.Join(argv, " "), Size: -1})
	}
	return out
}

// Collect implements bundle.Collector.
func (c commands) Collect(ctx context.Context, _ bundle.Request, take func(*bundle.Item) error) error {
	return c.collect(ctx, Commands, c.b.p.Policy.BundleCommands(), take)
}

func (c commands) collect(ctx context.Context, who string, lines [][]string, take func(*bundle.Item) error) error {
	for _, argv := range lines {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		it := &bundle.Item{Name: commandItem(argv), Source: strings.Join(argv, " ")}
		out, err := c.b.p.Host.Output("collect/"+who, argv)
		var no *policy.Refusal
		switch {
		case errors.Is(err, fs.ErrNotExist):
			it.State, it.Reason = bundle.Absent, "no such command"
		case errors.As(err, &no):
			it.State, it.Reason = bundle.Refused, err.Error()
		case err != nil:
			it.State, it.Reason = bundle.Failed, err.Error()
		default:
			content, err := interruptible(out.Stdout)
			if err != nil {
				return err
			}
			it.Content = content
			it.Finish = func(ctx context.Context) (bundle.Outcome, error) {
				end, err := out.Wait(ctx)
				if err != nil {
					return bundle.Outcome{}, err
				}
				o := bundle.Outcome{Failed: end.TimedOut || end.ExitCode != 0, Truncated: end.TimedOut}
				switch {
				case end.TimedOut:
					o.Reason = "ended after its time was over"
				case end.ExitCode != 0:
					o.ExitCode, o.Reason = &end.ExitCode, fmt.Sprintf("exit code %d: %s", end.ExitCode, end.Stderr)
				}
				return o, nil
			}
		}
		if err := take(it); err != nil {
			return err
		}
	}
	return nil
}

// commandItem is the name of the file with a command's output: the command
// without its directory, with what a file name does not take as dashes.
func commandItem(argv []string) string {
	line := strings.Join(argv, " ")
	if i := strings.LastIndexByte(argv[0], '/'); i >= 0 {
		line = line[i+1:]
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, line)
	return strings.Trim(name[:min(len(name), 80)], "-.") + ".txt"
}
