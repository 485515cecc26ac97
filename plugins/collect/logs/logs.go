package logs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/filetree"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "logs"

type settings struct {
	Paths        []string      `config:"paths" default:"/var/log/**,/opt/*/log/**,/opt/*/logs/**,/usr/local/var/log/**" help:"patterns of files; a last ** stands for everything below"`
	Exclude      []string      `config:"exclude" default:"/var/log/journal/**,/var/log/wtmp*,/var/log/btmp*,/var/log/lastlog,/var/log/faillog,/var/log/tallylog,/var/log/sa/**,/var/log/sysstat/**,*.journal,*.journal~" help:"patterns of files and folders that are left out; one without a slash goes for names"`
	MaxFile      int64         `config:"max_file" default:"134217728" help:"bytes kept of one file, its end"`
	Journal      bool          `config:"journal" default:"true" help:"collect the systemd journal"`
	JournalLines int           `config:"journal_lines" default:"200000" help:"lines of the journal, the newest"`
	JournalFiles []string      `config:"journal_files" help:"patterns of journal files of another root, which are read instead of asking journalctl"`
	JournalAfter string        `config:"journal_after" help:"only what came after this cursor of the journal; each journal.txt ends with the cursor that it has reached"`
	Timeout      time.Duration `config:"journal_timeout" default:"90s" help:"time that journalctl may take"`
}

// Collector is the collector.
type Collector struct{ settings settings }

// New makes the collector.
func New() *Collector { return &Collector{} }

// Config is where the host's settings go.
func (c *Collector) Config() any { return &c.settings }

// Needs declares what is read and run.
func (c *Collector) Needs() needs.List {
	return needs.List{
		Paths:    []string{"/var/log/**", "/opt/*/log/**", "/opt/*/logs/**", "/usr/local/var/log/**", "/run/log/journal/**"},
		Commands: [][]string{{"journalctl", "..."}},
	}
}

// found lists the files that are wanted, the newest first, and all of them.
func (c *Collector) found(ctx context.Context, o filetree.Opener, since time.Time) (wanted, all []filetree.Entry, err error) {
	all, err = filetree.Find(ctx, o, filetree.Options{Paths: c.settings.Paths, Exclude: c.settings.Exclude})
	for _, e := range all {
		if (e.Mode.IsRegular() || e.Err != nil) && !old(e, since) {
			wanted = append(wanted, e)
		}
	}
	slices.SortStableFunc(wanted, func(a, b filetree.Entry) int { return b.ModTime.Compare(a.ModTime) })
	return wanted, all, err
}

func old(e filetree.Entry, since time.Time) bool {
	return e.Err == nil && !since.IsZero() && !e.ModTime.IsZero() && e.ModTime.Before(since)
}

// Plan lists the files and the journal.
func (c *Collector) Plan(ctx context.Context, req collect.Request) ([]collect.Planned, error) {
	wanted, _, err := c.found(ctx, filetree.Direct{}, req.Since)
	out := filetree.Plan(wanted, func(filetree.Entry) bool { return false })
	if it, argv := c.journal(req); c.settings.Journal {
		out = append(out, collect.Planned{Name: it.Name, Source: fmt.Sprint(argv), Size: -1, NeedsRoot: true})
	}
	return out, err
}

// Collect hands over the journal, the files and an index.
func (c *Collector) Collect(ctx context.Context, req collect.Request, sink collect.Sink) error {
	if c.settings.Journal {
		if err := c.collectJournal(ctx, req, sink); err != nil {
			return err
		}
	}
	wanted, all, err := c.found(ctx, sink, req.Since)
	if err != nil {
		sink.Note("%v", err)
	}
	h := filetree.Hander{Sink: sink, MaxFile: c.settings.MaxFile}
	for _, e := range wanted {
		if err := h.Hand(e); err != nil {
			return err
		}
	}
	return filetree.Index(sink, "index.txt", "listing of "+Name, all, func(e filetree.Entry) string {
		if old(e, req.Since) {
			return "older than asked for"
		}
		return ""
	})
}

func (c *Collector) journal(req collect.Request) (collect.Item, []string) {
	argv := []string{"journalctl", "--no-pager", "--quiet", "--show-cursor", "--output=short-iso-precise", "--lines=" + strconv.Itoa(c.settings.JournalLines)}
	if !req.Since.IsZero() {
		argv = append(argv, "--since=@"+strconv.FormatInt(req.Since.Unix(), 10))
	}
	if c.settings.JournalAfter != "" {
		argv = append(argv, "--after-cursor="+c.settings.JournalAfter)
	}
	return collect.Item{Name: "journal.txt", Timeout: c.settings.Timeout}, argv
}
