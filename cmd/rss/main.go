package main

import (
	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
)

func main() { cmdline.Main(app()) }

func app() *cli.App {
	return cmdline.New("rss", "the vendor's relay for support bundles and remote support", cmdline.Options{
		Description: `Systems enrol here with one-time tokens, send encrypted bundles and open sessions;
engineers fetch the ones and connect to the others. The relay itself can open
neither.

Examples:
   rss init --name "Example Support" --address rss.example.com
   rss serve
   rss token new --system array-7 > token
   rss engineers add ada --key-file ada.pub --role bundles --role access
   rss systems --open
   rss bundles
   rss audit`,
		Commands: []*cli.Command{
			initCommand(),
			serveCommand(),
			tokenCommand(),
			systemsCommand(),
			nodesCommand(),
			engineersCommand(),
			bundlesCommand(),
			recordingsCommand(),
			revocationsCommand(),
			auditCommand(),
		},
	})
}
