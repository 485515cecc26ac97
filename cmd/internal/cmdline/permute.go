package cmdline

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// permute moves flags before the arguments of the command they belong to, so
// that `sanitize FILE -o OUT` means what it says: the flag package stops at
// the first argument. What follows "--" stays as it is.
func permute(app *cli.App, args []string) []string {
	if len(args) == 0 || args[len(args)-1] == "--generate-bash-completion" {
		return args
	}
	out := []string{args[0]}
	cmds, flags := app.Commands, app.Flags
	rest := args[1:]
	var options, operands []string
	for len(rest) > 0 {
		arg := rest[0]
		rest = rest[1:]
		if arg == "--" {
			operands = append(append(operands, "--"), rest...)
			break
		}
		if strings.HasPrefix(arg, "-") && arg != "-" {
			options = append(options, arg)
			if takesValue(flags, arg) && len(rest) > 0 {
				options = append(options, rest[0])
				rest = rest[1:]
			}
			continue
		}
		if len(operands) == 0 {
			if cmd := find(cmds, arg); cmd != nil {
				out = append(append(out, options...), arg)
				options = nil
				cmds, flags = cmd.Subcommands, cmd.Flags
				continue
			}
		}
		operands = append(operands, arg)
	}
	return append(append(out, options...), operands...)
}

func find(cmds []*cli.Command, name string) *cli.Command {
	for _, c := range cmds {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

func takesValue(flags []cli.Flag, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return false
	}
	for _, f := range flags {
		for _, n := range f.Names() {
			if n != name {
				continue
			}
			if d, ok := f.(cli.DocGenerationFlag); ok {
				return d.TakesValue()
			}
		}
	}
	return false
}
