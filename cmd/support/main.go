package main

import (
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
)

func main() {
	debug.SetGCPercent(400) // SSH takes memory for each packet; there is little else to look through
	cmdline.Main(app())
}

func app() *cli.App {
	a := cmdline.New("support", "the support engineer's side: find systems, go in, open bundles, answer challenges", cmdline.Options{
		Description: `Examples:
   support login --rss rss.example.com --pin SHA256:...
   support systems array
   support ssh array-7 --case C-4711
   support cp array-7:/var/log/messages .
   support ssh-config array-7 --write
   support bundle list --system array-7
   support bundle open bdl-0123456789abcdefghjk --identity bundle-key.txt
   support respond --key vendor_key --case C-4711 040TY G2RGF ...`,
		Commands: []*cli.Command{
			loginCommand(),
			logoutCommand(),
			systemsCommand(),
			sshCommand(),
			cpCommand(),
			forwardCommand(),
			sshConfigCommand(),
			pipeCommand(),
			playCommand(),
			bundleCommand(),
			requestCommand(),
			respondCommand(),
			certifyCommand(),
			revokeCommand(),
		},
	})
	a.DisableSliceFlagSeparator = true // paths and commands have commas
	return a
}
