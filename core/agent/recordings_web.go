package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/record"
)

var _ control.Recorded = (*Agent)(nil)

// Bounds of what a page shows of one recording; the command line shows all.
const (
	maxShownNotes   = 500
	maxShownScreens = 200
)

// Recordings implements [control.Recorded].
func (a *Agent) Recordings(context.Context, control.Caller) ([]control.Recording, error) {
	list, err := record.List(a.root.Recordings())
	if err != nil {
		return nil, err
	}
	kinds, _ := a.passported()
	out := make([]control.Recording, 0, len(list))
	for _, i := range list {
		r := listed(i)
		r.Kinds = kinds[i.ID]
		out = append(out, r)
	}
	return out, nil
}

func listed(i record.Info) control.Recording {
	return control.Recording{ID: i.ID, Session: i.Session, Engineer: i.Engineer, Case: i.Case, From: i.From, Started: i.Started,
		Lasted: i.Last.Sub(i.Started), State: string(i.State), Failed: i.Failed, Size: i.Size, Segments: i.Segments, Shipped: i.Shipped}
}

// passported is what the signed passports of sessions say of their recordings:
// what was done, and where each ends.
func (a *Agent) passported() (kinds map[string][]string, heads []record.Head) {
	kinds = map[string][]string{}
	files, err := filepath.Glob(filepath.Join(a.root.Passports(), "*.json"))
	if err != nil {
		return kinds, nil
	}
	for _, f := range files {
		p, err := record.ReadPassport(f, a.system.PublicKey())
		if err != nil {
			continue // `recordings verify` names it
		}
		heads = append(heads, p.Heads()...)
		for _, v := range p.Connections {
			for _, k := range []struct {
				n    int
				what string
			}{{v.Shells, "shell"}, {v.Commands, "command"}, {v.FileCount, "file"}, {v.Forwards, "forward"}} {
				switch {
				case k.n == 1:
					kinds[v.Recording] = append(kinds[v.Recording], "1 "+k.what)
				case k.n > 1:
					kinds[v.Recording] = append(kinds[v.Recording], fmt.Sprintf("%d %ss", k.n, k.what))
				}
			}
		}
	}
	return kinds, heads
}

// recordingDir is the folder of a recording. An id is one name, never a path.
func (a *Agent) recordingDir(id string) (string, error) {
	dir := filepath.Join(a.root.Recordings(), id)
	if !record.ValidID(id) {
		return "", errNoRecording
	}
	if fi, err := os.Lstat(dir); err != nil || !fi.IsDir() {
		return "", errNoRecording
	}
	return dir, nil
}

var errNoRecording = &stateError{"there is no such recording here", ""}

// recordingKeys are the key that was given, or else the system's own, which is
// never made here.
func (a *Agent) recordingKeys(given []byte) ([]age.Identity, error) {
	if len(given) > 0 {
		ids, err := age.ParseIdentities(bytes.NewReader(given))
		if err != nil {
			return nil, &stateError{"the file is no key of recordings", "it is the copy that was kept of var/identity/recording.key; a line in it begins with AGE-SECRET-KEY-"} // err may quote it
		}
		return ids, nil
	}
	path := a.root.Var("identity", "recording.key")
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	id, err := record.LoadKey(path)
	if err != nil {
		return nil, err
	}
	return []age.Identity{id}, nil
}

// sawRecording records that somebody sees a recording, before he does.
func (a *Agent) sawRecording(by control.Caller, id, what string, more ...string) error {
	_, err := a.Append(audit.Event{Type: audit.RecordingOpened, Actor: by.Actor(), Subject: id, Detail: details(append([]string{"what", what}, more...)...)})
	return err
}

// Recording implements [control.Recorded].
func (a *Agent) Recording(ctx context.Context, by control.Caller, id string, key []byte) (control.RecordingDetail, error) {
	dir, err := a.recordingDir(id)
	if err != nil {
		return control.RecordingDetail{}, err
	}
	ids, err := a.recordingKeys(key)
	if err != nil {
		return control.RecordingDetail{}, err
	}
	if err := a.sawRecording(by, id, "shown"); err != nil {
		return control.RecordingDetail{}, err
	}
	info, ok := record.Look(dir)
	if !ok {
		return control.RecordingDetail{}, errNoRecording
	}
	d := control.RecordingDetail{Recording: listed(info)}
	kinds, heads := a.passported()
	d.Kinds = kinds[id]
	report, err := record.Verify(dir, record.Check{Key: a.system.PublicKey(), Identities: ids, Anchors: heads})
	var broken *record.BrokenError
	if err != nil && !errors.As(err, &broken) {
		return d, err
	}
	d.Holds, d.Content, d.Head, d.Verdict = err == nil, report.Content, report.Head.Hash, report.Witnessing.Text()
	if report.Live {
		d.Verdict = "it is still being made"
	}
	if report.Recovered {
		d.Verdict += ", recovered after a crash"
	}
	for _, p := range report.Problems {
		d.Problems = append(d.Problems, p.String())
	}
	if !d.Holds {
		return d, nil // what was changed is not shown as what happened
	}
	r, err := record.Open(dir, ids...)
	if len(ids) == 0 || err != nil {
		d.Sealed = "no key here opens it"
		return d, nil
	}
	return d, look(ctx, r, &d)
}

// look goes through a recording for what a page tells of it.
func look(ctx context.Context, r *record.Reader, d *control.RecordingDetail) error {
	at := map[uint32]int{}
	screen := func(n uint32) *control.RecordingScreen {
		i, ok := at[n]
		if !ok {
			if len(d.Screens) >= maxShownScreens {
				d.More = true
				return &control.RecordingScreen{}
			}
			i = len(d.Screens)
			at[n] = i
			d.Screens = append(d.Screens, control.RecordingScreen{Channel: n})
		}
		return &d.Screens[i]
	}
	for rec, err := range r.Records() {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		n := rec.Note
		switch {
		case n == nil && rec.Cols > 0:
			screen(rec.Channel).Terminal = true
		case n == nil:
			screen(rec.Channel).Output += int64(len(rec.Output))
		case n.Kind == record.Command || n.Kind == record.Shell:
			screen(rec.Channel).Command = n.Command
		}
		if n == nil {
			continue
		}
		if len(d.Notes) >= maxShownNotes {
			d.More = true
			continue
		}
		d.Notes = append(d.Notes, control.RecordingNote{Time: rec.Time, Channel: n.Channel, Kind: string(n.Kind), Command: n.Command, Path: n.Path, Direction: n.Direction,
			SHA256: n.SHA256, Address: n.Address, Size: n.Size, Status: n.Status, Signal: n.Signal, Text: n.Text})
	}
	return nil
}

// ReadRecording implements [control.Recorded]. One that does not hold is given
// sealed only, as evidence: what was changed in it is not shown as what happened.
func (a *Agent) ReadRecording(ctx context.Context, by control.Caller, q control.RecordingRead, open func() io.Writer) error {
	dir, err := a.recordingDir(q.ID)
	if err != nil {
		return err
	}
	if q.What == control.ReadSealed {
		if err := a.sawRecording(by, q.ID, "taken, sealed"); err != nil {
			return err
		}
		return record.WriteSealed(while{ctx, open()}, dir)
	}
	ids, err := a.recordingKeys(q.Key)
	if err != nil {
		return err
	}
	_, heads := a.passported()
	if _, err := record.Verify(dir, record.Check{Key: a.system.PublicKey(), Identities: ids, Anchors: heads}); err != nil {
		return err
	}
	r, err := record.Open(dir, ids...)
	if err != nil || len(ids) == 0 {
		return &stateError{"no key here opens this recording", "choose the key file on the page of the recording"}
	}
	what := "played"
	if q.What == control.ReadTtyrec {
		what = "taken, ttyrec"
	}
	if err := a.sawRecording(by, q.ID, what, "channel", fmt.Sprint(q.Channel)); err != nil {
		return err
	}
	return record.WriteTtyrec(while{ctx, open()}, r, q.Channel)
}

// while writes until ctx ends.
type while struct {
	ctx context.Context
	w   io.Writer
}

func (w while) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(p)
}
