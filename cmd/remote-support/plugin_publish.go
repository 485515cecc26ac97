package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/host/publish"
)

// publishCommands bring a plugin from its author to a machine.
func publishCommands() []*cli.Command {
	return []*cli.Command{
		{
			Name: "sign", Usage: "write and sign the manifest of a plugin's directory (for authors)", ArgsUsage: "DIR",
			Description: `Lists every file below DIR with its checksum in DIR/plugin.json, asks the program
what it does and needs, and signs the manifest. Without --key only the manifest is
written; OpenSSH signs it as well, with a key in an agent or on a token:

   ssh-keygen -Y sign -n latchstring-plugin -f KEY DIR/plugin.json

Examples:
   remote-support plugin sign ./acme --publisher acme --key ~/.ssh/release_ed25519
   remote-support plugin sign ./acme --publisher acme \
       --program linux/amd64=acme-amd64 --program linux/arm64=acme-arm64 --key KEY`,
			Flags: append(keyFlags("the publisher's private key, in OpenSSH's form, in `FILE`"),
				&cli.StringFlag{Name: "publisher", Usage: "your `NAME`, as machines are told to trust it; else the one of the last manifest"},
				&cli.StringFlag{Name: "name", Usage: "`NAME` of the plugin; else what the program says"},
				&cli.StringFlag{Name: "plugin-version", Usage: "`VERSION` of the plugin; else what the program says"},
				&cli.StringSliceFlag{Name: "program", Usage: "`GOOS/GOARCH=FILE`, for a plugin with several programs; may be repeated"}),
			Action: pluginSign,
		},
		{
			Name: "install", Usage: "copy a plugin into the catalog of this machine, or upgrade it", ArgsUsage: "DIR",
			Description: `DIR holds plugin.json, its signature and the files it lists. They are checked
before the plugin takes its place; one that is not whole is not installed.

Example:
   remote-support plugin install ./acme`,
			Action: pluginInstall,
		},
		{
			Name: "remove", Usage: "take a plugin out of the catalog", ArgsUsage: "NAME",
			Action: func(c *cli.Context) error {
				root, err := cmdline.Root(c)
				if err != nil {
					return err
				}
				if c.NArg() != 1 {
					return cmdline.Usagef("name one plugin; see: remote-support plugin list")
				}
				if err := publish.Remove(root, c.Args().First()); err != nil {
					return err
				}
				if err := note(c, audit.PluginRemoved, c.Args().First(), nil); err != nil {
					return err
				}
				fmt.Fprintf(c.App.ErrWriter, "%s was removed; what runs of it ends with its work\n", c.Args().First())
				return nil
			},
		},
		{
			Name: "trust", Usage: "let a publisher's plugins run; without arguments, show who is trusted", ArgsUsage: "[PUBLISHER KEYFILE]",
			Description: `KEYFILE holds the publisher's public key, as in release_ed25519.pub. Get it, or its
fingerprint, in a way that you trust. The list is /etc/latchstring/plugin_publishers,
in the form of OpenSSH's allowed_signers. Policy may still refuse: plugins.publishers.

Examples:
   remote-support plugin trust acme acme.pub
   remote-support plugin trust
   remote-support plugin distrust acme`,
			Action: pluginTrust,
		},
		{
			Name: "distrust", Usage: "take back the trust in a publisher, or in one of his keys", ArgsUsage: "PUBLISHER|SHA256:...",
			Action: pluginDistrust,
		},
	}
}

func pluginSign(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name the directory of the plugin")
	}
	dir := c.Args().First()
	programs, err := parsePrograms(c.StringSlice("program"))
	if err != nil {
		return err
	}
	key, err := readKey(c) // before anything is written
	if err != nil {
		return err
	}
	m, err := publish.Make(c.Context, dir, publish.Options{
		Publisher: c.String("publisher"), Name: c.String("name"), Version: c.String("plugin-version"), Programs: programs,
	})
	if err != nil {
		if c.String("publisher") == "" && m.Publisher == "" {
			err = fmt.Errorf("%w; --publisher says who you are", err)
		}
		return err
	}
	fingerprint := ""
	if key != nil {
		if _, err := publish.Sign(dir, key); err != nil {
			return err
		}
		fingerprint = ssh.FingerprintSHA256(key.PublicKey())
	}
	return cmdline.Print(c, m, func(w io.Writer) error {
		var roles []string
		for _, r := range m.Roles {
			roles = append(roles, r.ID())
		}
		fmt.Fprintf(w, "%s %s by %s: %s; %d files\n", m.Name, m.Version, m.Publisher, strings.Join(roles, ", "), len(m.Files))
		manifest := filepath.Join(dir, catalog.ManifestFile)
		if fingerprint == "" {
			_, err := fmt.Fprintf(w, "%s is written and not signed; sign it with:\n  ssh-keygen -Y sign -n latchstring-plugin -f KEY %s\n", manifest, manifest)
			return err
		}
		_, err := fmt.Fprintf(w, "%s is signed with %s\nGive your users that fingerprint; they run:\n  remote-support plugin trust %s KEYFILE\n  remote-support plugin install %s\n",
			manifest, fingerprint, m.Publisher, dir)
		return err
	})
}

func parsePrograms(words []string) (map[string]string, error) {
	out := make(map[string]string)
	for _, word := range words {
		where, file, ok := strings.Cut(word, "=")
		if !ok || strings.Count(where, "/") != 1 || file == "" {
			return nil, cmdline.Usagef("--program %s: write it like linux/amd64=acme-amd64", word)
		}
		if out[where] != "" {
			return nil, cmdline.Usagef("--program names two programs for %s", where)
		}
		out[where] = file
	}
	return out, nil
}

func pluginInstall(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	if c.NArg() != 1 {
		return cmdline.Usagef("name the directory of the plugin")
	}
	p, err := publish.Install(root, c.Args().First())
	if err != nil {
		return err
	}
	if err := note(c, audit.PluginInstalled, p.Name, map[string]string{"version": p.Version, "publisher": p.Publisher, "sha256": p.SHA256, "state": string(p.State)}); err != nil {
		return err
	}
	return cmdline.Print(c, p, func(w io.Writer) error {
		fmt.Fprintf(w, "%s %s is installed: %s\n", p.Name, p.Version, p.State)
		if p.State != catalog.Trusted {
			fmt.Fprintf(w, "  %s\n  %s\n", p.Reason, p.Fix)
			return nil
		}
		_, err := fmt.Fprintf(w, "whether policy lets it run: remote-support plugin verify %s\n", p.Name)
		return err
	})
}

func pluginTrust(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	switch c.NArg() {
	case 0:
		list, err := publish.Trusted(root)
		if err != nil {
			return err
		}
		return cmdline.Print(c, list, func(w io.Writer) error {
			if len(list) == 0 {
				_, err := fmt.Fprintln(w, "no publisher is trusted; only the built-in plugins run")
				return err
			}
			var rows [][]string
			for _, p := range list {
				rows = append(rows, []string{p.Name, p.Fingerprint})
			}
			return cmdline.Table(w, rows)
		})
	case 2:
	default:
		return cmdline.Usagef("name the publisher and the file with his public key")
	}
	key, _, err := readPublicKey(c.Args().Get(1))
	if err != nil {
		return err
	}
	if err := publish.Trust(root, c.Args().First(), key); err != nil {
		return err
	}
	if err := note(c, audit.PluginTrusted, c.Args().First(), map[string]string{"key": ssh.FingerprintSHA256(key)}); err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "plugins of %s that are signed with %s are trusted\n", c.Args().First(), ssh.FingerprintSHA256(key))
	return nil
}

func pluginDistrust(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	if c.NArg() != 1 {
		return cmdline.Usagef("name the publisher, or the fingerprint of one of his keys")
	}
	gone, err := publish.Distrust(root, c.Args().First())
	if err != nil {
		return err
	}
	for _, p := range gone {
		if err := note(c, audit.PluginTrusted, p.Name, map[string]string{"key": p.Fingerprint, "taken": "away"}); err != nil {
			return err
		}
		fmt.Fprintf(c.App.ErrWriter, "%s %s is not trusted any more; what runs ends with its work and is not started again\n", p.Name, p.Fingerprint)
	}
	return nil
}

// note writes what a command did to the files of this machine into the audit
// log.
func note(c *cli.Context, t audit.Type, subject string, detail map[string]string) (err error) {
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	_, err = a.Append(audit.Event{Type: t, Actor: control.Self().Actor(), Subject: subject, Detail: detail})
	return err
}
