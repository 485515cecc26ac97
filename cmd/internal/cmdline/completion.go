package cmdline

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

func completionCommand(name string) *cli.Command {
	return &cli.Command{
		Name:        "completion",
		Usage:       "print a completion script for your shell",
		ArgsUsage:   "bash|zsh|fish",
		Description: fmt.Sprintf("Examples:\n   source <(%s completion bash)\n   %s completion fish > ~/.config/fish/completions/%s.fish", name, name, name),
		Action: func(c *cli.Context) error {
			var script string
			switch c.Args().First() {
			case "bash":
				script = bashScript
			case "zsh":
				script = zshScript
			case "fish":
				s, err := c.App.ToFishCompletion()
				if err != nil {
					return fmt.Errorf("make completion: %w", err)
				}
				script = s
			default:
				return Usagef("completion for %q is not known; use bash, zsh or fish", c.Args().First())
			}
			_, err := fmt.Fprintln(c.App.Writer, strings.ReplaceAll(script, "PROG", name))
			return err
		},
	}
}

func manCommand() *cli.Command {
	return &cli.Command{
		Name:   "man",
		Usage:  "print the manual page",
		Hidden: true,
		Action: func(c *cli.Context) error {
			page, err := c.App.ToMan()
			if err != nil {
				return fmt.Errorf("make manual page: %w", err)
			}
			_, err = fmt.Fprintln(c.App.Writer, page)
			return err
		},
	}
}

// The scripts call the program itself with the flag that urfave/cli answers.
const bashScript = `_PROG_complete() {
  local cur=${COMP_WORDS[COMP_CWORD]}
  local words=("${COMP_WORDS[@]:0:COMP_CWORD}")
  COMPREPLY=($(compgen -W "$("${words[@]}" ${cur:+"$cur"} --generate-bash-completion 2>/dev/null | cut -d: -f1)" -- "$cur"))
  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _PROG_complete PROG`

const zshScript = `#compdef PROG
_PROG() {
  local -a found
  found=("${(@f)$(${words[1,CURRENT-1]} --generate-bash-completion 2>/dev/null)}")
  if [ -n "$found" ]; then _describe PROG found; else _files; fi
}
compdef _PROG PROG`
