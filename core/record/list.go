package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// State says how far a recording is.
type State string

// The states of a recording.
const (
	Live       State = "live"       // it is being made
	Complete   State = "complete"   // it has its closing record
	Crash      State = "recovered"  // it was closed after a crash
	Unfinished State = "unfinished" // it has no closing record
	Unreadable State = "unreadable" // its first or last segment is broken
)

// Info is what a listing says about a recording. It believes the headers:
// [Verify] checks them.
type Info struct {
	ID       string    `json:"id"`
	Dir      string    `json:"dir"`
	Session  string    `json:"session"`
	Engineer string    `json:"engineer"`
	Case     string    `json:"case,omitempty"`
	From     string    `json:"from,omitempty"`
	System   string    `json:"system,omitempty"`
	Key      string    `json:"key"` // that it says signs it: check whose that is
	Started  time.Time `json:"started"`
	Last     time.Time `json:"last"` // of what is sealed
	Reason   string    `json:"reason,omitempty"`
	Segments int       `json:"segments"`
	Shipped  int       `json:"shipped"` // segments that are at the relay
	Size     int64     `json:"size"`    // on disk
	State    State     `json:"state"`
	Failed   string    `json:"failed,omitempty"`
	Head     Head      `json:"head"`
}

// List gives the recordings in dir, oldest first. No directory, no recordings.
func List(dir string) ([]Info, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	var all []Info
	for _, e := range entries {
		if e.IsDir() && ValidID(e.Name()) {
			if info, ok := Look(filepath.Join(dir, e.Name())); ok {
				all = append(all, info)
			}
		}
	}
	slices.SortFunc(all, func(a, b Info) int {
		if c := a.Started.Compare(b.Started); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all, nil
}

// Look is [List] for one recording; not ok when there is nothing in dir.
func Look(dir string) (info Info, ok bool) {
	info = Info{ID: filepath.Base(dir), Dir: dir, State: Unfinished, Shipped: shipped(dir)}
	live := isLive(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return info, false
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if ext != sealedExt && ext != openExt {
			continue
		}
		ok = true
		if fi, err := e.Info(); err == nil {
			info.Size += fi.Size()
		}
	}
	if !ok {
		return info, false
	}
	if live {
		info.State = Live
	}
	all, err := segmentNumbers(dir, sealedExt)
	if err != nil || len(all) == 0 {
		return lookOpen(dir, info), true
	}
	info.Segments = len(all)
	first, err1 := readSegment(dir, all[0])
	last, err2 := readSegment(dir, all[len(all)-1])
	if err1 != nil || err2 != nil || first.Begin == nil {
		info.State = Unreadable
		return info, true
	}
	info.setBegin(*first.Begin)
	info.Last, info.Head = last.Last, last.head()
	if end := last.End; end != nil {
		info.Reason, info.Failed, info.State = end.Reason, end.Failed, Complete
		if last.Recovered != nil {
			info.State = Crash
		}
	}
	return info, true
}

// lookOpen is for a recording in its first second.
func lookOpen(dir string, info Info) Info {
	b, err := readBounded(filepath.Join(dir, segmentName(0, openExt)))
	if err != nil {
		return info
	}
	t, ok := sound(b)
	if begin, err := beginOf(b[:ok]); err == nil {
		info.setBegin(*begin)
		info.Last = time.UnixMicro(t.last).UTC()
	}
	return info
}

func (i *Info) setBegin(b Begin) {
	i.System, i.Key = b.System, b.Key
	i.Session, i.Engineer, i.Case, i.From, i.Started = b.Session, b.Engineer, b.Case, b.From, b.Started
}
