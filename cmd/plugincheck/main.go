package main

import (
	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/host/launch"
)

func main() {
	launch.Main() // returns at once unless the process is to become a plugin
	cmdline.Main(app())
}

func app() *cli.App {
	return cmdline.New("plugincheck", "test a plugin against the rules of plugins", cmdline.Options{
		ArgsUsage: "BINARY [ROLE/NAME]",
		Description: `Starts the plugin as a host does, in the same sandbox, and runs the conformance
suite of each of its roles. Exits with 4 when a rule is not kept.

Examples:
   plugincheck ./my-plugin
   plugincheck ./my-plugin transport/tunnel --options check.json
   plugincheck --attach '{"plugin":"transport/tunnel",...}'
   plugincheck new transport tunnel

A transport that needs settings, or speaks to a proxy, needs --options, a JSON
file with an entry for each role:

   {"transport/tunnel": {"config": {"proxy": "$PROXY"}, "proxy": "connect"},
    "auth/pin": {"config": {"pin": "1234"}, "login": {"answers": {"pin": "1234"}, "user": "operator"}}}

$PROXY becomes the address of a proxy that plugincheck plays; "proxy" says how
it speaks: connect, socks5 or websocket. Further entries are commands (what a collector's
commands print), broken (settings of an event sink that is down) and skip.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "options", Usage: "read settings and more for each role from `FILE`"},
			&cli.StringFlag{Name: "attach", Usage: "test the plugin that printed `JSON` when it was started with -debug"},
			&cli.BoolFlag{Name: "short", Usage: "make the long cases short"},
			&cli.BoolFlag{Name: "verbose", Usage: "show what passing cases have to say"},
		},
		Action:   check,
		Commands: []*cli.Command{newCommand()},
	})
}
