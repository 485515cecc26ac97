package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler"
)

// plan lists what would be collected.
func plan(c *cli.Context, b *bundler.Bundler, req bundler.Request) error {
	p, err := b.Plan(c.Context, req)
	if err != nil {
		return err
	}
	return cmdline.Print(c, p, func(w io.Writer) error {
		rows := [][]string{{"COLLECTOR", "SIZE", "", "ITEM", "FROM"}}
		var total int64
		for _, i := range p.Items {
			size := "?"
			if i.Size >= 0 {
				size, total = cmdline.Size(i.Size), total+i.Size
			}
			rows = append(rows, []string{i.Collector, size, marks(i), printable(i.Name), printable(i.Source)})
		}
		if err := cmdline.Table(w, rows); err != nil {
			return err
		}
		fmt.Fprintf(w, "\n%d items, %s and what has no size yet. c: configuration, r: needs root\n", len(p.Items), cmdline.Size(total))
		return missing(w, p.Missing)
	})
}

func marks(p bundle.Planned) string {
	s := ""
	if p.Config {
		s += "c"
	}
	if p.NeedsRoot {
		s += "r"
	}
	return s
}

// preview shows what would leave and asks.
func preview(c *cli.Context, r *bundler.Run) error {
	w := c.App.ErrWriter
	rows := [][]string{{"SIZE", "FILE", ""}}
	var total int64
	for _, f := range r.Files() {
		note := ""
		if f.Truncated {
			note = "cut: " + f.Reason
		}
		rows = append(rows, []string{cmdline.Size(f.Size), printable(f.Path), printable(note)})
		total += f.Size
	}
	if err := cmdline.Table(w, rows); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d files, %s, sanitized. The raw data stays here.\n", len(rows)-1, cmdline.Size(total))
	if err := missing(w, notable(r.Missing())); err != nil {
		return err
	}
	if c.Bool("yes") {
		return nil
	}
	ok, err := cmdline.Confirm("Let exactly this leave?")
	if err != nil {
		return fmt.Errorf("%w; answer beforehand with --yes", err)
	}
	if !ok {
		fmt.Fprintln(w, "nothing left this machine")
		return cmdline.Silent(cmdline.ExitFailed)
	}
	return nil
}

// notable leaves out what is no news: things that this machine does not have.
func notable(all []bundle.Missing) []bundle.Missing {
	var out []bundle.Missing
	for _, m := range all {
		if m.State != bundle.Absent {
			out = append(out, m)
		}
	}
	return out
}

// missing lists what is not in the bundle, the first of it.
func missing(w io.Writer, all []bundle.Missing) error {
	const most = 20
	if len(all) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nnot in the bundle:\n")
	var rows [][]string
	for i, m := range all {
		if i == most {
			rows = append(rows, []string{"", fmt.Sprintf("and %d more; see the manifest", len(all)-most)})
			break
		}
		rows = append(rows, []string{"  " + string(m.State), printable(strings.TrimSuffix(m.Collector+"/"+m.Name, "/")), printable(short(m.Reason))})
	}
	return cmdline.Table(w, rows)
}

// summary tells what became of the run.
func summary(w io.Writer, m *bundler.Made) {
	rows := [][]string{{"COLLECTOR", "FILES", "SIZE", "TIME", ""}}
	for _, r := range m.Manifest.Collectors {
		rows = append(rows, []string{r.Name, fmt.Sprint(r.Files), cmdline.Size(r.Bytes), fmt.Sprintf("%.1f s", float64(r.DurationMS)/1000), printable(r.Error)})
	}
	cmdline.Table(w, rows)
	missing(w, notable(m.Manifest.Missing))
	how := "encrypted to the vendor"
	if !m.Encrypted {
		how = "NOT encrypted"
	}
	fmt.Fprintf(w, "\nbundle   %s, %s\n", m.Name, how)
	if m.Queued == "" { // one in the queue is on its way out
		fmt.Fprintf(w, "file     %s\n", m.Path)
	}
	fmt.Fprintf(w, "sha256   %s\nholds    %d files, %s; %d secrets and identifiers were hidden\n",
		m.SHA256, len(m.Manifest.Files), cmdline.Size(m.Manifest.Bytes()), m.Hidden)
}

// receipt shows the proof of delivery.
func receipt(w io.Writer, d *bundler.Delivered) error {
	_, err := fmt.Fprintf(w, "\ndelivered to %s as %s\nreceipt  of %s for sha256 %s, %s, signed by the relay\n",
		d.RSS, d.Bundle, d.Receipt.ReceivedAt.Local().Format("2006-01-02 15:04:05"), d.Receipt.SHA256, cmdline.Size(d.Receipt.Size))
	return err
}

// short cuts what would break a table; the manifest has all of it.
func short(s string) string {
	const most = 100
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
