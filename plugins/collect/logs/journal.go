package logs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/latchstring/latchstring/plugins/collect/filetree"
	"github.com/latchstring/latchstring/plugins/collect/logs/journal"
	"github.com/latchstring/latchstring/sdk/collect"
)

// journalPlaces are where systemd keeps the journal of this machine.
var journalPlaces = []string{"/var/log/journal/**", "/run/log/journal/**"}

// collectJournal asks journalctl for the journal of this machine. Where there is
// none, and for files of another root, it reads the files itself.
func (c *Collector) collectJournal(ctx context.Context, req collect.Request, sink collect.Sink) error {
	places := c.settings.JournalFiles
	if len(places) == 0 {
		if _, err := sink.Output("journalctl", "--version"); !errors.Is(err, fs.ErrNotExist) {
			it, argv := c.journal(req)
			return sink.Command(it, argv...)
		}
		places = journalPlaces
	}
	found, err := filetree.Find(ctx, sink, filetree.Options{Paths: places})
	if err != nil {
		sink.Note("%v", err)
	}
	found = slices.DeleteFunc(found, func(e filetree.Entry) bool {
		return !e.Mode.IsRegular() || !strings.HasSuffix(e.Path, ".journal") && !strings.HasSuffix(e.Path, ".journal~")
	})
	if len(found) == 0 {
		return sink.Absent(collect.Item{Name: "journal.txt"}, "there is no journalctl, and there are no journal files")
	}
	slices.SortStableFunc(found, func(a, b filetree.Entry) int { return b.ModTime.Compare(a.ModTime) })
	left, names := c.settings.JournalLines, map[string]bool{}
	for _, e := range found {
		name := "journal/" + strings.TrimSuffix(strings.TrimSuffix(path.Base(e.Path), "~"), ".journal")
		for n := 2; names[name]; n++ { // one folder a machine, with files of the same names
			name = strings.TrimSuffix(name, "-"+strconv.Itoa(n-1)) + "-" + strconv.Itoa(n)
		}
		names[name] = true
		it := collect.Item{Name: name + ".txt", Source: e.Path, ModTime: e.ModTime}
		if left <= 0 {
			if err := sink.Failed(it, fmt.Errorf("newer files have the %d lines that are kept", c.settings.JournalLines)); err != nil {
				return err
			}
			continue
		}
		n, err := c.journalFile(req, sink, it, e, left)
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// journalFile hands over at most most entries of one file, the newest.
func (c *Collector) journalFile(req collect.Request, sink collect.Sink, it collect.Item, e filetree.Entry, most int) (n int, err error) {
	f, err := sink.Open(e.Path)
	if err != nil {
		return 0, sink.Failed(it, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0, sink.Failed(it, err)
	}
	j, err := journal.Open(f, st.Size())
	if err != nil {
		return 0, sink.Failed(it, err)
	}
	s, err := sink.Stream(it)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(s, 64<<10)
	damaged := 0
	var first error
	for entry, err := range j.Last(most, req.Since) {
		if err != nil {
			if damaged++; first == nil {
				first = err
			}
			continue
		}
		n++
		if _, err := w.WriteString(entry.Line() + "\n"); err != nil {
			break // the host wants no more of it, or the time is over
		}
	}
	if damaged > 0 {
		first = fmt.Errorf("%d entries are damaged and left out, the first: %w", damaged, first)
	}
	if n == most {
		s.Truncate(fmt.Sprintf("the last %d entries", most))
	}
	_ = w.Flush()
	return n, s.CloseWithError(first)
}
