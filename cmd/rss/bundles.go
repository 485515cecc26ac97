package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
)

func bundlesCommand() *cli.Command {
	return &cli.Command{
		Name:   "bundles",
		Usage:  "list the bundles that came in",
		Flags:  storeFlags(),
		Action: bundlesList,
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list them, newest first", Flags: storeFlags(), Action: bundlesList},
			{
				Name: "import", Usage: "take bundles that were carried by hand", ArgsUsage: "FILE...",
				Description: "The relay cannot look inside, so it has to be told which system a bundle is of;\nthe engineer who opens it finds out whether that is true, by its signature.\n\nExample:\n   rss bundles import --system array-7 /media/usb/bundle.tar.zst.age",
				Flags:       append([]cli.Flag{&cli.StringFlag{Name: "system", Usage: "`NAME` of the enrolled system"}}, storeFlags()...),
				Action:      bundlesImport,
			},
		},
	}
}

func bundlesList(c *cli.Context) error {
	return withAdmin(c, func(a *relay.Admin) error {
		var list api.BundleList
		if err := a.Call(c.Context, "GET", "/admin/bundles", nil, &list); err != nil {
			return err
		}
		if len(list.Bundles) == 0 {
			return none(c, list, "no bundle came in yet")
		}
		return cmdline.Print(c, list, func(w io.Writer) error {
			rows := [][]string{{"ID", "SYSTEM", "RECEIVED", "SIZE", "CASE", "FILE"}}
			for _, b := range list.Bundles {
				rows = append(rows, []string{b.ID, b.SystemName, date(b.ReceivedAt), cmdline.Size(b.Size), b.Case, b.Filename})
			}
			return cmdline.Table(w, rows)
		})
	})
}

func bundlesImport(c *cli.Context) error {
	if c.NArg() == 0 {
		return cmdline.Usagef("name the files to import")
	}
	if c.String("system") == "" {
		return cmdline.Usagef("--system is needed: whose bundles are these?")
	}
	return withAdmin(c, func(a *relay.Admin) error {
		var done api.BundleList
		for _, name := range c.Args().Slice() {
			b, err := importOne(c, a, name)
			if err != nil {
				return fmt.Errorf("import %s: %w", name, err)
			}
			done.Bundles = append(done.Bundles, b)
		}
		return cmdline.Print(c, done, func(w io.Writer) error {
			for _, b := range done.Bundles {
				fmt.Fprintf(w, "%s  %s, %s, sha256 %s\n", b.ID, b.Filename, cmdline.Size(b.Size), b.SHA256)
			}
			return nil
		})
	})
}

func importOne(c *cli.Context, a *relay.Admin, name string) (b api.Bundle, err error) {
	f, err := os.Open(name)
	if err != nil {
		return b, err
	}
	defer f.Close()
	q := url.Values{"system": {c.String("system")}, "filename": {filepath.Base(name)}}
	err = a.Call(c.Context, "POST", "/admin/bundles?"+q.Encode(), f, &b)
	return b, err
}
