package filetree

import (
	"bufio"
	"fmt"
	"time"

	"github.com/latchstring/latchstring/sdk/collect"
)

// Index hands over a listing of all entries, like that of ls -l, with a note
// for each that is not collected. Links are told here only.
func Index(sink collect.Sink, name, source string, entries []Entry, note func(Entry) string) error {
	s, err := sink.Stream(collect.Item{Name: name, Source: source})
	if err != nil {
		return err
	}
	w := bufio.NewWriter(s)
	for _, e := range entries {
		fmt.Fprintf(w, "%s %12d %s %s", e.Mode, e.Size, stamp(e.ModTime), e.Path)
		if e.Target != "" {
			fmt.Fprintf(w, " -> %s", e.Target)
		}
		switch n := note(e); {
		case e.Err != nil:
			fmt.Fprintf(w, "   (%v)", e.Err)
		case n != "":
			fmt.Fprintf(w, "   (%s)", n)
		}
		fmt.Fprintln(w)
	}
	return s.CloseWithError(w.Flush())
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "                    "
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}
