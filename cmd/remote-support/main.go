package main

import (
	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/host/launch"
)

func main() {
	launch.Main() // returns at once unless the process is to become a plugin
	family.Main() // nor the guardian of engineers' processes
	cmdline.Main(app())
}

func app() *cli.App {
	return cmdline.New("remote-support", "let the vendor's support in, under your control", cmdline.Options{
		Description: `Remote access is off until an administrator turns it on. Nothing leaves this
machine unless somebody runs send-bundle or turns remote support on.

Examples:
   remote-support on --for 8h --case INF-4711
   remote-support enroll --rss rss.example.com --token-file token
   remote-support status --json
   remote-support policy explain bundle.send
   remote-support audit verify`,
		Commands: []*cli.Command{
			onCommand(),
			offCommand(),
			statusCommand(),
			extendCommand(),
			connectionsCommand(),
			secretCommand(),
			testCommand(),
			proxyCommand(),
			selftestCommand(),
			enrollCommand(),
			identityCommand(),
			loginCommand(),
			logoutCommand(),
			whoamiCommand(),
			policyCommand(),
			pluginCommand(),
			auditCommand(),
			portsCommand(),
			eventsCommand(),
			notifyCommand(),
			hardwareCommand(),
			recordingsCommand(),
			revocationsCommand(),
			buildConfigCommand(),
			disableCommand(),
			serveCommand(),
			certCommand(),
			reloadCommand(),
		},
	})
}
