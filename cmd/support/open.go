package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/findings"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
)

// opened is what is told about an opened bundle.
type opened struct {
	ID       string          `json:"id,omitempty"`
	Folder   string          `json:"folder"`
	Signer   string          `json:"signer"`    // fingerprint
	SignedBy string          `json:"signed_by"` // who that is
	Summary  string          `json:"summary"`   // page with the findings
	Manifest bundle.Manifest `json:"manifest"`

	Findings *findings.Report `json:"findings"`
}

func bundleOpen(c *cli.Context) (err error) {
	if c.NArg() != 1 {
		return cmdline.Usagef("name one bundle: an id or a file")
	}
	arg := c.Args().First()
	path, out, rec := arg, opened{Folder: c.String("output")}, api.Bundle{}
	if api.ValidBundleID(arg) {
		if path, rec, err = fetch(c, arg); err != nil {
			return err
		}
		out.ID = arg
	}
	if out.Folder == "" {
		out.Folder = defaultFolder(arg)
	}
	if _, err := os.Lstat(out.Folder); err == nil {
		return fmt.Errorf("unpack: %s is there already; name a new folder with -o", out.Folder)
	}
	ids, err := identities(c)
	if err != nil {
		return err
	}
	b, err := bundle.Open(path, bundle.OpenOptions{Identities: ids})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	out.Signer, out.Manifest = ssh.FingerprintSHA256(b.Signer), b.Manifest
	if out.SignedBy, err = checkSigner(c, b, rec); err != nil {
		return err
	}
	if err := b.Unpack(c.Context, out.Folder); err != nil {
		return err
	}
	if err := out.look(); err != nil {
		return err
	}
	return cmdline.Print(c, out, func(w io.Writer) error { return summary(w, out, b) })
}

// look makes the summary of what needs no search, and its page in the folder.
func (o *opened) look() (err error) {
	m := o.Manifest
	src := findings.Source{Host: o.SignedBy + ", host " + m.System.Host, Made: m.Created}
	for _, f := range m.Files {
		if f.ExitCode != nil && *f.ExitCode != 0 {
			src.Failed = append(src.Failed, findings.Trouble{What: on(f.Machine, f.Source), Why: fmt.Sprintf("exit code %d", *f.ExitCode)})
		}
	}
	for _, x := range m.Missing {
		if x.State != bundle.Absent {
			src.Missing = append(src.Missing, findings.Trouble{What: on(x.Machine, strings.TrimSuffix(x.Collector+"/"+x.Name, "/")), Why: string(x.State) + ": " + x.Reason})
		}
	}
	for _, x := range m.Machines {
		if x.Error == "" {
			if src.Machines == nil {
				src.Machines = make(map[string]string)
			}
			src.Machines[x.Name] = x.Host
		}
	}
	root, err := os.OpenRoot(o.Folder)
	if err != nil {
		return fmt.Errorf("look at the bundle: %w", err)
	}
	defer root.Close()
	o.Findings = findings.Look(root.FS(), src)
	page, err := root.OpenFile(summaryPage, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the summary page: %w", err)
	}
	defer func() { err = errors.Join(err, page.Close()) }()
	o.Summary = filepath.Join(o.Folder, summaryPage)
	return o.Findings.HTML(page)
}

// on says on which further machine something was.
func on(machine, what string) string {
	if machine == "" {
		return what
	}
	return what + " on " + machine
}

// summaryPage is no name that a file of a bundle can have: those are in the
// folders of their collectors.
const summaryPage = "summary.html"

// defaultFolder is named like the bundle, in the present directory.
func defaultFolder(arg string) string {
	name := filepath.Base(arg)
	for _, ext := range []string{".age", ".zst", ".gz", ".tar", ".zip"} {
		name = strings.TrimSuffix(name, ext)
	}
	if name == filepath.Base(arg) && !api.ValidBundleID(arg) {
		name += ".unpacked"
	}
	return name
}

// identities reads the vendor's private key, if there is one: a bundle that was
// not encrypted needs none.
func identities(c *cli.Context) ([]age.Identity, error) {
	path, named := c.String("identity"), true
	if path == "" {
		dir, err := configDir(c)
		if err != nil {
			return nil, err
		}
		path, named = filepath.Join(dir, "bundle-key.txt"), false
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read identity: %w", err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("read identity %s: %w", path, err)
	}
	return ids, nil
}

// checkSigner says who made the bundle. The id of a system is derived from its
// key, so the relay cannot pass off the bundle of one as that of another.
func checkSigner(c *cli.Context, b *bundle.Bundle, rec api.Bundle) (string, error) {
	id := identity.IDOf(b.Signer)
	if rec.ID != "" {
		if rec.System != id {
			return "", failed("bundle %s was signed by system %s, and the relay has it as one of %s (%s)", rec.ID, id, rec.SystemName, rec.System)
		}
		return rec.SystemName, nil
	}
	if p := c.String("signer"); p != "" {
		line, err := os.ReadFile(p)
		if err != nil {
			return "", fmt.Errorf("read signer: %w", err)
		}
		key, err := identity.ParseKey(string(line))
		if err != nil {
			return "", fmt.Errorf("read signer %s: %w", p, err)
		}
		if identity.IDOf(key) != id {
			return "", failed("the bundle was signed by %s, not by the key in %s", ssh.FingerprintSHA256(b.Signer), p)
		}
		return "the key in " + p, nil
	}
	cl, _, err := relayClient(c)
	if errors.Is(err, errNotLoggedIn) {
		return "an unknown system; log in to the relay, or name its key with --signer", nil
	}
	if err != nil {
		return "", err
	}
	defer cl.Close()
	list, err := cl.Systems(c.Context, id)
	if err != nil {
		return "", err
	}
	for _, s := range list {
		if s.ID == id {
			return s.Name, nil
		}
	}
	return "", failed("the bundle was signed by %s (%s), and the relay knows no such system", id, ssh.FingerprintSHA256(b.Signer))
}

// summary is an index by folder, what is not there, and where to look.
func summary(w io.Writer, o opened, b *bundle.Bundle) error {
	m := o.Manifest
	hidden := 0
	for _, n := range b.Redactions.Rules {
		hidden += int(n)
	}
	if err := cmdline.Table(w, [][]string{
		{"system", printable(o.SignedBy + " (" + m.System.ID + ", host " + m.System.Host + ")")},
		{"made", m.Created.Local().Format(time.DateTime) + " by " + printable(m.Tool.Name+" "+m.Tool.Version)},
		{"signed", o.Signer + ", holds"},
		{"files", fmt.Sprintf("%d, %s, all as the manifest says; %d values hidden", len(m.Files), cmdline.Size(m.Bytes()), hidden)},
		{"folder", o.Folder},
		{"summary", o.Summary},
	}); err != nil {
		return err
	}
	type group struct {
		files int
		bytes int64
		cut   int
	}
	groups := map[string]*group{}
	for _, f := range m.Files {
		parts := strings.Split(f.Path, "/")
		key := strings.Join(parts[:min(len(parts)-1, 2)], "/")
		g := groups[key]
		if g == nil {
			g = &group{}
			groups[key] = g
		}
		g.files++
		g.bytes += f.Size
		if f.Truncated {
			g.cut++
		}
	}
	names := make([]string, 0, len(groups))
	for n := range groups {
		names = append(names, n)
	}
	sort.Strings(names)
	rows := [][]string{{"\nFILES", "SIZE", "FOLDER", ""}}
	for _, n := range names {
		g, note := groups[n], ""
		if g.cut > 0 {
			note = fmt.Sprintf("%d cut short", g.cut)
		}
		rows = append(rows, []string{fmt.Sprint(g.files), cmdline.Size(g.bytes), printable(n) + "/", note})
	}
	if err := cmdline.Table(w, rows); err != nil {
		return err
	}
	if err := troubles(w, m); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nfindings:")
	return o.Findings.Text(w)
}

// troubles lists what is worth knowing first: commands that failed and things
// that could not be collected.
func troubles(w io.Writer, m bundle.Manifest) error {
	var rows [][]string
	for _, f := range m.Files {
		if f.ExitCode != nil && *f.ExitCode != 0 {
			rows = append(rows, []string{"  exit " + fmt.Sprint(*f.ExitCode), printable(f.Source), printable(f.Path)})
		}
	}
	for _, x := range m.Missing {
		if x.State == bundle.Absent {
			continue
		}
		rows = append(rows, []string{"  " + string(x.State), printable(strings.TrimSuffix(x.Collector+"/"+x.Name, "/")), printable(x.Reason)})
	}
	if len(rows) == 0 {
		return nil
	}
	const most = 25
	fmt.Fprintln(w, "\nto know first:")
	if len(rows) > most {
		rows = append(rows[:most], []string{"  ...", fmt.Sprintf("and %d more; see manifest.json", len(rows)-most), ""})
	}
	return cmdline.Table(w, rows)
}
