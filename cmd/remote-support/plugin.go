package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/control"
)

func pluginCommand() *cli.Command {
	return &cli.Command{
		Name:  "plugin",
		Usage: "see which plugins are installed, and whether they may run",
		Subcommands: append([]*cli.Command{
			{
				Name: "list", Usage: "one line for each thing that a plugin does",
				Action: func(c *cli.Context) error {
					return withPlugins(c, func(rows []control.Plugin) error {
						return cmdline.Print(c, rows, func(w io.Writer) error { return printPlugins(w, rows) })
					})
				},
			},
			{
				Name: "verify", Usage: "check files and signatures; exit code 4 when a plugin may not run",
				ArgsUsage: "[NAME]",
				Action:    pluginVerify,
			},
			{
				Name: "describe", Usage: "everything that is known about a plugin", ArgsUsage: "NAME",
				Action: func(c *cli.Context) error {
					if c.NArg() != 1 {
						return cmdline.Usagef("name one plugin; see: remote-support plugin list")
					}
					return withAPI(c, func(ctx context.Context, api control.API) error {
						j, err := api.DescribePlugin(ctx, control.Self(), c.Args().First())
						if err != nil {
							return err
						}
						enc := json.NewEncoder(c.App.Writer)
						enc.SetIndent("", "  ")
						enc.SetEscapeHTML(false)
						return enc.Encode(j)
					})
				},
			},
		}, publishCommands()...),
	}
}

func withPlugins(c *cli.Context, f func([]control.Plugin) error) error {
	return withAPI(c, func(ctx context.Context, api control.API) error {
		rows, err := api.Plugins(ctx, control.Self())
		if err != nil {
			return err
		}
		return f(rows)
	})
}

func printPlugins(w io.Writer, rows []control.Plugin) error {
	table := [][]string{{"ROLE", "PLUGIN", "VERSION", "STATE", "SANDBOX"}}
	for _, p := range rows {
		state := p.State
		if p.Development {
			state += " (development build)"
		}
		table = append(table, []string{strings.Trim(p.Role+"/"+p.Name, "/"), p.Plugin, p.Version, state, p.Sandbox})
	}
	if err := cmdline.Table(w, table); err != nil {
		return err
	}
	return advise(w, rows)
}

// advise says, once for each plugin that may not run, why and what to do.
func advise(w io.Writer, rows []control.Plugin) error {
	said := map[string]bool{}
	for _, p := range rows {
		if p.Allowed || said[p.Plugin] {
			continue
		}
		said[p.Plugin] = true
		if _, err := fmt.Fprintf(w, "\n%s is %s: %s\n  %s\n", p.Plugin, p.State, p.Reason, p.Fix); err != nil {
			return err
		}
	}
	return nil
}

func pluginVerify(c *cli.Context) error {
	if c.NArg() > 1 {
		return cmdline.Usagef("name one plugin, or none for all")
	}
	return withPlugins(c, func(rows []control.Plugin) error {
		if name := c.Args().First(); name != "" {
			var only []control.Plugin
			for _, p := range rows {
				if p.Plugin == name {
					only = append(only, p)
				}
			}
			if len(only) == 0 {
				return control.NotFound("no plugin %q is installed; see: remote-support plugin list", name)
			}
			rows = only
		}
		bad := 0
		seen := map[string]bool{}
		var unique []control.Plugin
		for _, p := range rows {
			if seen[p.Plugin] {
				continue
			}
			seen[p.Plugin] = true
			p.Role, p.Name = "", ""
			unique = append(unique, p)
			if !p.Allowed {
				bad++
			}
		}
		err := cmdline.Print(c, unique, func(w io.Writer) error {
			for _, p := range unique {
				fmt.Fprintf(w, "%s %s: %s\n  sha256 %s\n", p.Plugin, p.Version, p.State, p.SHA256)
			}
			return advise(w, unique)
		})
		if err != nil {
			return err
		}
		if bad > 0 {
			return cmdline.Silent(cmdline.ExitCheckFailed)
		}
		return nil
	})
}
