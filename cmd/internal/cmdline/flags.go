package cmdline

import (
	"log/slog"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/core/paths"
)

// commonFlags are accepted by every command. They are made anew each time,
// because urfave/cli keeps parsed state in them.
func commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "root", Usage: "keep all files below `DIR` instead of the system's places"},
		&cli.BoolFlag{Name: "json", Usage: "print facts as JSON"},
		&cli.StringFlag{Name: "log-level", Usage: "`LEVEL` of messages on standard error: debug, info, warn, error", Value: "warn"},
	}
}

func withCommon(flags []cli.Flag) []cli.Flag {
	have := map[string]bool{}
	for _, f := range flags {
		for _, n := range f.Names() {
			have[n] = true
		}
	}
	for _, f := range commonFlags() {
		if !have[f.Names()[0]] {
			flags = append(flags, f)
		}
	}
	return flags
}

// lookup finds the context, from the innermost, in which a flag was given.
func lookup(c *cli.Context, name string) *cli.Context {
	for _, l := range c.Lineage() {
		for _, n := range l.LocalFlagNames() {
			if n == name {
				return l
			}
		}
	}
	return c
}

// Root resolves --root, wherever on the line it stands.
func Root(c *cli.Context) (paths.Root, error) {
	return paths.New(lookup(c, "root").String("root"))
}

// JSON reports whether --json was given.
func JSON(c *cli.Context) bool { return lookup(c, "json").Bool("json") }

// Logger logs to standard error at the level of --log-level.
func Logger(c *cli.Context) (*slog.Logger, error) {
	var level slog.Level
	name := lookup(c, "log-level").String("log-level")
	if err := level.UnmarshalText([]byte(strings.ToUpper(name))); err != nil {
		return nil, Usagef("--log-level %q: use debug, info, warn or error", name)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})), nil
}
