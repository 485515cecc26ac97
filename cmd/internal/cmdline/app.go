package cmdline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/urfave/cli/v2"
)

// Version is the product's version, set at link time by
// -X github.com/latchstring/latchstring/cmd/internal/cmdline.Version=v1.2.3.
var Version = "0.1.0-dev"

// Options describe an application beyond its name.
type Options struct {
	Description string         // the long help, with examples
	Flags       []cli.Flag     // of the default action
	Action      cli.ActionFunc // without a command; nil shows the help
	ArgsUsage   string         // of the default action; empty means it takes none
	Commands    []*cli.Command
}

// New builds an application with the common flags, shell completion and a
// man page.
func New(name, usage string, o Options) *cli.App {
	action := o.Action
	if action == nil {
		action = showHelp
	}
	if o.ArgsUsage == "" {
		action = NoArgs(action)
	}
	app := &cli.App{
		Name:                 name,
		Usage:                usage,
		Description:          o.Description,
		Version:              version(),
		Flags:                o.Flags,
		Action:               action,
		ArgsUsage:            o.ArgsUsage,
		Commands:             append(o.Commands, completionCommand(name), manCommand()),
		Suggest:              true,
		HideHelpCommand:      true,
		EnableBashCompletion: true,
		ExitErrHandler:       func(*cli.Context, error) {}, // Run decides
		OnUsageError:         func(_ *cli.Context, err error, _ bool) error { return Usagef("%v", err) },
	}
	app.Flags = withCommon(app.Flags)
	plain(app.Flags)
	prepare(app.Commands)
	return app
}

// prepare gives every command the common flags and our errors.
func prepare(cmds []*cli.Command) {
	for _, c := range cmds {
		c.Flags = withCommon(c.Flags)
		plain(c.Flags)
		c.HideHelpCommand = true
		if c.OnUsageError == nil {
			c.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return Usagef("%v", err) }
		}
		if len(c.Subcommands) > 0 {
			if c.Action == nil {
				c.Action = NoArgs(showHelp)
			}
			prepare(c.Subcommands)
		} else if c.ArgsUsage == "" && c.Action != nil {
			c.Action = NoArgs(c.Action)
		}
	}
}

// plain keeps "(default: false)" and the like out of the help: that a flag
// which is not given is not set goes without saying.
func plain(flags []cli.Flag) {
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.BoolFlag:
			f.DisableDefaultText = true
		case *cli.DurationFlag:
			if f.Value == 0 {
				f.DefaultText = "none"
			}
		}
	}
}

func showHelp(c *cli.Context) error {
	if len(c.App.Commands) == 0 && c.Command == nil {
		return cli.ShowAppHelp(c)
	}
	return cli.ShowSubcommandHelp(c)
}

// NoArgs wraps an action that takes no arguments: one is then a usage error,
// with a suggestion where a command of that name is near.
func NoArgs(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.NArg() > 0 {
			return unknown(c, c.Args().First())
		}
		return action(c)
	}
}

func unknown(c *cli.Context, arg string) error {
	cmds := c.App.Commands
	if c.Command != nil && len(c.Command.Subcommands) > 0 {
		cmds = c.Command.Subcommands
	}
	if near := nearest(arg, cmds); near != "" {
		return Usagef("unknown command or argument %q; did you mean %q?", arg, near)
	}
	return Usagef("unknown command or argument %q; see --help", arg)
}

// Main runs the application with the arguments of the process and exits.
func Main(app *cli.App) { os.Exit(Run(app, os.Args)) }

// Run runs the application and returns the exit code. SIGINT and SIGTERM
// cancel its context, so that a command ends in order.
func Run(app *cli.App, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := app.RunContext(ctx, permute(app, args))
	if err == nil {
		return 0
	}
	w := app.ErrWriter
	if w == nil {
		w = os.Stderr
	}
	report(w, app.Name, err)
	return Code(err)
}

func report(w io.Writer, name string, err error) {
	if msg := err.Error(); msg != "" {
		fmt.Fprintf(w, "%s: %s\n", name, msg)
	}
	var hint interface{ Hint() string }
	if errors.As(err, &hint) && hint.Hint() != "" {
		fmt.Fprintf(w, "  %s\n", hint.Hint())
	}
}

func version() string {
	v := Version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				v += " (" + s.Value[:12] + ")"
			}
		}
	}
	return v
}
