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
	last := b.LastTimes()
	out := struct {
		*bundler.Planned
		Last bundler.Times `json:"last_time"`
	}{p, last}
	return cmdline.Print(c, out, func(w io.Writer) error { return planTable(w, p, last) })
}

func planTable(w io.Writer, p *bundler.Planned, last bundler.Times) error {
	rows := [][]string{{"COLLECTOR", "SIZE", "LAST TIME", "", "ITEM", "FROM"}}
	var total, took int64
	seen := map[string]bool{}
	for _, i := range p.Items {
		size, time := "?", ""
		if i.Size >= 0 {
			size, total = cmdline.Size(i.Size), total+i.Size
		}
		c := last.Collectors[i.Collector]
		if ms, ok := c.Items[i.Name]; ok {
			time = fmt.Sprintf("%.1f s", float64(ms)/1000)
		}
		if !seen[i.Collector] {
			seen[i.Collector], took = true, took+c.MS
		}
		rows = append(rows, []string{i.Collector, size, time, marks(i), printable(i.Name), printable(i.Source)})
	}
	if err := cmdline.Table(w, rows); err != nil {
		return err
	}
	about := ""
	if took > 0 {
		about = fmt.Sprintf("; it took %.1f s last time", float64(took)/1000)
	}
	fmt.Fprintf(w, "\n%d items, %s and what has no size yet%s. c: configuration, r: needs root\n", len(p.Items), cmdline.Size(total), about)
	return missing(w, p.Missing)
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

// files lists what would leave.
func files(w io.Writer, r *bundler.Run) error {
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
	return missing(w, notable(r.Missing()))
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
	cut, gone := map[string]int{}, map[string]int{}
	for _, f := range m.Manifest.Files {
		if f.Truncated && f.Machine == "" {
			cut[f.Collector]++
		}
	}
	for _, x := range notable(m.Manifest.Missing) {
		if x.Machine == "" && x.Name != "" {
			gone[x.Collector]++
		}
	}
	rows := [][]string{{"COLLECTOR", "FILES", "CUT", "MISSING", "SIZE", "TIME", ""}}
	for _, r := range m.Manifest.Collectors {
		rows = append(rows, []string{r.Name, fmt.Sprint(r.Files), some(cut[r.Name]), some(gone[r.Name]), cmdline.Size(r.Bytes), fmt.Sprintf("%.1f s", float64(r.DurationMS)/1000), printable(r.Error)})
	}
	for _, x := range m.Manifest.Machines {
		rows = append(rows, []string{printable("machine " + x.Name), fmt.Sprint(x.Files), "", "", cmdline.Size(x.Bytes), "", printable(x.Error)})
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

// some is a number, or nothing for none.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
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
