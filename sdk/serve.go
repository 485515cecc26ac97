package sdk

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/latchstring/latchstring/internal/wire"
)

// Exit codes of a plugin, those of every Latchstring command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Serve is the whole main function of a plugin. It does what the command line
// says, and exits.
func Serve(p Plugin) {
	os.Exit(run(p, os.Args, os.Stderr))
}

func run(p Plugin, args []string, stderr io.Writer) int {
	if err := p.check(); err != nil {
		fmt.Fprintln(stderr, "plugin cannot start:", err)
		return exitFailed
	}
	debug := false
	var words []string
	for _, a := range args[1:] {
		switch a {
		case "-debug", "--debug":
			debug = true
		case "-h", "-help", "--help", "help":
			fmt.Fprint(stderr, usage(p, args[0]))
			return exitDone
		case "-version", "--version":
			fmt.Fprintln(realStdout, p.Name, p.Version, "sdk", Version)
			return exitDone
		default:
			words = append(words, a)
		}
	}
	switch {
	case len(words) == 1 && words[0] == "describe":
		return describe(p, stderr)
	case len(words) > 0 && words[0] == "serve":
		words = words[1:]
	case !debug:
		fmt.Fprint(stderr, usage(p, args[0]))
		return exitUsage
	}
	if len(words) != 1 {
		fmt.Fprintf(stderr, "%s: which role? one of %s\n", p.Name, strings.Join(p.names(), ", "))
		return exitUsage
	}
	if _, ok := p.makers()[words[0]]; !ok {
		fmt.Fprintf(stderr, "%s: there is no %q here, only %s\n", p.Name, words[0], strings.Join(p.names(), ", "))
		return exitUsage
	}
	switch {
	case debug:
		return serveDebug(p, words[0], stderr)
	case os.Getenv(wire.EnvCookie) != wire.CookieValue:
		fmt.Fprint(stderr, byHand(p, args[0], words[0]))
		return exitUsage
	}
	return serve(p, words[0], stderr)
}

func describe(p Plugin, stderr io.Writer) int {
	d, err := p.describe()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailed
	}
	enc := json.NewEncoder(realStdout)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		fmt.Fprintln(stderr, "describe:", err)
		return exitFailed
	}
	return exitDone
}

func usage(p Plugin, program string) string {
	return fmt.Sprintf(`%s %s is a Latchstring plugin with these roles:

  %s

It is started by remote-support and send-bundle, not by hand. What you can do:

  %[4]s describe             print what it is, its settings and its needs, as JSON
  %[4]s -debug ROLE/NAME     serve one role and print how to attach to it
  plugincheck %[4]s          test whether it keeps the rules of plugins
`, p.Name, p.Version, strings.Join(p.names(), "\n  "), program)
}

func byHand(p Plugin, program, role string) string {
	return fmt.Sprintf(`%s serves a host over a channel that only a host can set up; started by hand it
can do nothing. To work on it:

  %s -debug %[3]s      serve for a debugger, and print how to attach
  plugincheck %[2]s %[3]s   test it
`, p.Name, program, role)
}
