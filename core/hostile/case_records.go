package hostile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/relay/api"
)

// The relay keeps recordings, and gives back others.
var records = []Case{
	{"gives-back-old-recordings", "gives back pieces of another recording, leaves some out, swaps, changes and repeats them", Noticed, oldRecordings},
	{"loses-recordings", "says that it has every piece and throws them away, or says that it had another one before", Harmless, losesRecordings},
}

// visited makes a recording of some pieces and returns its id.
func (w *world) visited(pieces int) (string, error) {
	before := len(w.events(audit.ConnectionClosed))
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	for range pieces {
		if err := v.works(); err != nil {
			return "", err
		}
		if pieces > 1 {
			time.Sleep(1100 * time.Millisecond) // a piece is of a second
		}
	}
	v.leave()
	if err := w.until("the connection is closed", func() bool { return len(w.events(audit.ConnectionClosed)) > before }); err != nil {
		return "", err
	}
	return w.events(audit.ConnectionClosed)[before].Subject, nil
}

func oldRecordings(w *world) (string, error) {
	old, err := w.visited(1)
	if err != nil {
		return "", err
	}
	id, err := w.visited(3)
	if err != nil {
		return "", err
	}
	key, err := w.publicKey()
	if err != nil {
		return "", err
	}
	whole, err := record.Verify(filepath.Join(w.root.Recordings(), id), record.Check{Key: key, ID: id})
	if err != nil || whole.End == nil || whole.Segments < 3 {
		return "", untested{fmt.Errorf("the recording on the system has %d pieces, %v", whole.Segments, err)}
	}
	if err := w.until("the relay has all", func() bool { return w.recordingOf(id) == whole.Segments && w.recordingOf(old) > 0 }); err != nil {
		return "", untested{err}
	}
	good := w.pieces(id)
	if err := w.fetched(id, whole); err != nil {
		return "", untested{fmt.Errorf("the recording as it was sent: %w", err)}
	}
	n := slices.Sorted(maps.Keys(good))
	last := n[len(n)-1]
	for what, change := range map[string]func(m map[int][]byte){
		"another recording":          func(m map[int][]byte) { clear(m); maps.Copy(m, w.pieces(old)) },
		"the end left out":           func(m map[int][]byte) { delete(m, last) },
		"a piece left out":           func(m map[int][]byte) { delete(m, n[1]) },
		"two pieces swapped":         func(m map[int][]byte) { m[n[0]], m[n[1]] = m[n[1]], m[n[0]] },
		"a piece twice":              func(m map[int][]byte) { m[last+1] = m[last] },
		"a bit changed":              func(m map[int][]byte) { b := bytes.Clone(m[n[1]]); b[len(b)/2] ^= 1; m[n[1]] = b },
		"a piece of another one":     func(m map[int][]byte) { m[n[0]] = w.pieces(old)[n[0]] },
		"a piece that is cut":        func(m map[int][]byte) { m[n[1]] = m[n[1]][:len(m[n[1]])-1] },
		"nothing but the first one":  func(m map[int][]byte) { b := m[n[0]]; clear(m); m[n[0]] = b },
		"the first piece left out":   func(m map[int][]byte) { delete(m, n[0]) },
		"all but the end of another": func(m map[int][]byte) { o := w.pieces(old); m[last] = o[slices.Max(slices.Collect(maps.Keys(o)))] },
	} {
		changed := maps.Clone(good)
		change(changed)
		w.relay.mu.Lock()
		w.relay.recordings[id] = changed
		w.relay.mu.Unlock()
		if err := w.fetched(id, whole); err == nil {
			return "", fmt.Errorf("%s: nobody noticed", what)
		}
	}
	return "each of eleven ways was named by the check, from the system's public key alone", nil
}

// publicKey is that of the system.
func (w *world) publicKey() (ssh.PublicKey, error) {
	id, err := identity.Open(w.root.Identity())
	if err != nil {
		return nil, untested{err}
	}
	return id.PublicKey(), nil
}

// pieces are a copy of what the relay has of a recording.
func (r *relay) pieces(id string) map[int][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.recordings[id])
}

// fetched brings a recording from the relay, as an engineer does, and checks it.
func (w *world) fetched(id string, want record.Report) error {
	dir, err := os.MkdirTemp(w.dir, "fetched")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	at, _, err := w.eng.client.FetchRecording(w.ctx, w.id, id, dir)
	if err != nil {
		return err
	}
	key, err := w.publicKey()
	if err != nil {
		return err
	}
	got, err := record.Verify(at, record.Check{Key: key, ID: id})
	switch {
	case err != nil:
		return err
	case len(got.Problems) > 0:
		return errors.New(got.Problems[0].String())
	case got.End == nil:
		return errors.New("it has no end")
	case got.Head != want.Head:
		return errors.New("it ends elsewhere")
	}
	return nil
}

func losesRecordings(w *world) (string, error) {
	key, err := w.publicKey()
	if err != nil {
		return "", err
	}
	for _, p := range []plan{
		{segment: func(int) *api.Error { return nil }},
		{segment: func(int) *api.Error {
			return api.Errorf(http.StatusConflict, api.CodeSegmentExists, "another one is here")
		}},
		{segment: func(int) *api.Error {
			return api.Errorf(http.StatusInsufficientStorage, api.CodeNoSpace, "full")
		}},
	} {
		w.set(p)
		id, err := w.visited(1)
		if err != nil {
			return "", err
		}
		w.relay.mu.Lock()
		delete(w.relay.recordings, id)
		w.relay.mu.Unlock()
		r, err := record.Verify(filepath.Join(w.root.Recordings(), id), record.Check{Key: key, ID: id})
		if err != nil || len(r.Problems) > 0 || r.End == nil {
			return "", fmt.Errorf("the customer's own recording does not hold: %v, %v", r.Problems, err)
		}
	}
	return "the customer's own recordings are whole, each time; he needs no relay for them", w.after()
}
