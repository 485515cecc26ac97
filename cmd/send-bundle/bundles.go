package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"filippo.io/age"
	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/sanitize"
)

func identityFlag() cli.Flag {
	return &cli.StringFlag{Name: "identity", Usage: "`FILE` with the age key to decrypt with"}
}

// openBundle opens the one bundle that the command line names.
func openBundle(c *cli.Context) (*bundle.Bundle, error) {
	if c.NArg() != 1 {
		return nil, cmdline.Usagef("name one bundle")
	}
	var o bundle.OpenOptions
	if p := c.String("identity"); p != "" {
		f, err := os.Open(p)
		if err != nil {
			return nil, fmt.Errorf("read identity: %w", err)
		}
		defer f.Close()
		if o.Identities, err = age.ParseIdentities(f); err != nil {
			return nil, fmt.Errorf("read identity %s: %w", p, err)
		}
	}
	return bundle.Open(c.Args().First(), o)
}

func inspectCommand() *cli.Command {
	return &cli.Command{
		Name:        "inspect",
		Usage:       "show what a bundle holds: manifest, files, redaction counts",
		ArgsUsage:   "BUNDLE",
		Description: "Works offline, on bundles of any origin. The signature of the manifest is checked;\nwhether the files are what it says is for `verify`.\n\nExample:\n   send-bundle inspect --json bundle.tar.zst",
		Flags:       []cli.Flag{identityFlag()},
		Action:      inspect,
	}
}

func inspect(c *cli.Context) (err error) {
	b, err := openBundle(c)
	if err != nil {
		return err
	}
	defer b.Close()
	out := struct {
		Format     bundle.Format   `json:"archive"`
		Encrypted  bool            `json:"encrypted"`
		Signer     string          `json:"signer"`
		Manifest   bundle.Manifest `json:"manifest"`
		Redactions sanitize.Report `json:"redactions"`
	}{b.Format, b.Encrypted, ssh.FingerprintSHA256(b.Signer), b.Manifest, b.Redactions}
	return cmdline.Print(c, out, func(w io.Writer) error {
		m := b.Manifest
		rows := [][]string{
			{"bundle", printable(m.Name)},
			{"made", m.Created.Format(time.RFC3339) + " by " + printable(m.Tool.Name+" "+m.Tool.Version)},
			{"system", printable(m.System.ID + ", " + m.System.Host)},
			{"signed by", ssh.FingerprintSHA256(b.Signer)},
			{"files", fmt.Sprintf("%d, %s", len(m.Files), cmdline.Size(m.Bytes()))},
		}
		for _, r := range m.Collectors {
			rows = append(rows, []string{"collector", printable(fmt.Sprintf("%s: %d files, %s, %s %s, sandbox %s %s", r.Name, r.Files, cmdline.Size(r.Bytes), r.Plugin, r.Version, r.Sandbox, r.Error))})
		}
		for _, x := range m.Machines {
			rows = append(rows, []string{"machine", printable(fmt.Sprintf("%s: %d files, %s, %s %s", x.Name, x.Files, cmdline.Size(x.Bytes), x.System, x.Error))})
		}
		if a := m.Asked; a != nil {
			rows = append(rows, []string{"asked", printable(fmt.Sprintf("%s of %s, case %s: %s", a.ID, a.Engineer, a.Case, a.Reason))})
		}
		for rule, n := range b.Redactions.Rules {
			rows = append(rows, []string{"hidden", printable(fmt.Sprintf("%d by rule %s", n, rule))})
		}
		if err := cmdline.Table(w, rows); err != nil {
			return err
		}
		files := [][]string{{"\nSIZE", "FILE", "FROM", ""}}
		for _, f := range m.Files {
			note := f.Reason
			if f.ExitCode != nil {
				note = fmt.Sprintf("exit code %d %s", *f.ExitCode, note)
			}
			files = append(files, []string{cmdline.Size(f.Size), printable(f.Path), printable(f.Source), printable(note)})
		}
		if err := cmdline.Table(w, files); err != nil {
			return err
		}
		return missing(w, m.Missing)
	})
}

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "check a bundle: hashes, signature, and a new scan for secrets",
		ArgsUsage: "BUNDLE",
		Description: `Works offline. Exit code 4 says that something does not hold.

Example:
   send-bundle verify --signer system.pub bundle.tar.zst`,
		Flags: []cli.Flag{
			identityFlag(),
			&cli.StringFlag{Name: "signer", Usage: "public key `FILE` of the system that must have signed; the default is this system's key, if it was this system"},
			&cli.BoolFlag{Name: "no-scan", Usage: "do not look for secrets"},
		},
		Action: verify,
	}
}

func verify(c *cli.Context) (err error) {
	b, err := openBundle(c)
	if err != nil {
		return err
	}
	defer b.Close()
	o, who, err := verifyOptions(c, b)
	if err != nil {
		return err
	}
	v, err := b.Verify(c.Context, o)
	if err != nil {
		return err
	}
	if len(v.Hits) > 0 {
		var problems []string
		for _, h := range v.Hits {
			problems = append(problems, fmt.Sprintf("%s may hold a secret (rule %s)", h.File, h.Rule))
		}
		return &bundle.CheckError{Bundle: c.Args().First(), Problems: problems}
	}
	out := struct {
		Files  int    `json:"files"`
		Bytes  int64  `json:"bytes"`
		Signer string `json:"signer"`
		Who    string `json:"signed_by"`
		Scan   bool   `json:"scanned"`
	}{v.Files, v.Bytes, ssh.FingerprintSHA256(b.Signer), who, o.Engine != nil}
	return cmdline.Print(c, out, func(w io.Writer) error {
		fmt.Fprintf(w, "holds: %d files, %s, all as the manifest says\nsigned by %s (%s)\n", v.Files, cmdline.Size(v.Bytes), out.Signer, who)
		if o.Engine != nil {
			fmt.Fprintln(w, "no secret was found")
		}
		return nil
	})
}

// verifyOptions says who must have signed, and brings the scanner.
func verifyOptions(c *cli.Context, b *bundle.Bundle) (o bundle.VerifyOptions, who string, err error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return o, "", err
	}
	who = "a key that this machine does not know; compare it, or name it with --signer"
	if p := c.String("signer"); p != "" {
		data, err := os.ReadFile(p)
		if err != nil {
			return o, "", fmt.Errorf("read signer: %w", err)
		}
		if o.Signer, err = identity.ParseKey(string(data)); err != nil {
			return o, "", fmt.Errorf("read signer %s: %w", p, err)
		}
		who = "the key in " + p
	} else if _, err := os.Stat(root.Identity()); err == nil {
		system, err := identity.Open(root.Identity())
		if err == nil && system.ID() == identity.IDOf(b.Signer) {
			who = "this system"
		} else if err != nil && !errors.Is(err, os.ErrPermission) {
			return o, "", err
		}
	}
	if !c.Bool("no-scan") {
		if o.Engine, err = bundler.NewEngine(root, bundler.EngineOptions{NoPseudonyms: true}); err != nil {
			return o, "", err
		}
	}
	return o, who, nil
}
