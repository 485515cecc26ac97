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
	a := cmdline.New("send-bundle", "collect, sanitize and send a support bundle", cmdline.Options{
		Description: `Collects configuration, logs and facts about this machine, hides secrets, names
and addresses, packs, signs, encrypts to the vendor, and sends. Nothing leaves
unencrypted or unseen: see --plan, --preview and --output.

Examples:
   send-bundle
   send-bundle --plan
   send-bundle --pick
   send-bundle --preview --since 48h --skip packages
   send-bundle --hide-file words.txt --withhold '*.conf'
   send-bundle --request array-7.request
   send-bundle --on root@node-b --on root@node-c
   send-bundle --include /srv/app/logs --only logs
   send-bundle --output /media/usb/bundle.tar.zst.age
   send-bundle sanitize app.log -o app.sanitized.log
   send-bundle verify bundle.tar.zst`,
		Flags:  runFlags(),
		Action: run,
		Commands: []*cli.Command{
			sanitizeCommand(),
			inspectCommand(),
			verifyCommand(),
			revealCommand(),
			queueCommand(),
			gatherCommand(),
			forgetCommand(),
		},
	})
	a.DisableSliceFlagSeparator = true // paths and commands have commas
	return a
}
