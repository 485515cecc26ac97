package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/deliver"
)

func queueCommand() *cli.Command {
	return &cli.Command{
		Name:   "queue",
		Usage:  "bundles that are not delivered yet",
		Action: cmdline.NoArgs(queueList),
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list them", Action: queueList},
			{
				Name: "retry", Usage: "send one, or all", ArgsUsage: "[ID]",
				Description: "Example:\n   send-bundle queue retry",
				Flags:       deliveryFlags(),
				Action:      queueRetry,
			},
			{Name: "drop", Usage: "remove one without sending it", ArgsUsage: "ID", Action: queueDrop},
		},
	}
}

func queueList(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	q, err := deliver.OpenQueue(root.Queue())
	if err != nil {
		return err
	}
	items, err := q.List()
	if err != nil {
		return err
	}
	if items == nil {
		items = []deliver.Item{} // [] in JSON
	}
	return cmdline.Print(c, items, func(w io.Writer) error {
		if len(items) == 0 {
			_, err := fmt.Fprintln(w, "every bundle is delivered")
			return err
		}
		rows := [][]string{{"ID", "MADE", "SIZE", "TRIED", "LAST ERROR"}}
		for _, it := range items {
			rows = append(rows, []string{it.ID, it.Created.Local().Format("2006-01-02 15:04"), cmdline.Size(it.Size), fmt.Sprint(it.Attempts), printable(it.Error)})
		}
		return cmdline.Table(w, rows)
	})
}

func queueRetry(c *cli.Context) error {
	if c.NArg() > 1 {
		return cmdline.Usagef("name one bundle, or none for all")
	}
	return withBundler(c, func(b *bundler.Bundler) error {
		ids := c.Args().Slice()
		if len(ids) == 0 {
			q, err := b.Queue()
			if err != nil {
				return err
			}
			items, err := q.List()
			if err != nil {
				return err
			}
			for _, it := range items {
				ids = append(ids, it.ID)
			}
		}
		show := newProgress(os.Stderr)
		to, err := delivery(c, show)
		if err != nil {
			return err
		}
		delivered := []*bundler.Delivered{}
		var errs []error
		for _, id := range ids {
			d, err := b.Deliver(c.Context, id, to)
			show.clear()
			if err != nil {
				errs = append(errs, err)
				if c.Context.Err() != nil {
					break
				}
				continue
			}
			delivered = append(delivered, d)
		}
		err = cmdline.Print(c, delivered, func(w io.Writer) error {
			if len(ids) == 0 {
				fmt.Fprintln(w, "every bundle is delivered")
			}
			for _, d := range delivered {
				if err := receipt(w, d); err != nil {
					return err
				}
			}
			return nil
		})
		return errors.Join(append(errs, err)...)
	})
}

func queueDrop(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name the bundle to remove; `send-bundle queue` lists them")
	}
	return withBundler(c, func(b *bundler.Bundler) error { return b.Drop(c.Args().First()) })
}
