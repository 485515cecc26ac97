package audit

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func FuzzDecode(f *testing.F) {
	_, b, err := Next(Head{}, time.Unix(1e9, 0), event(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(trimNewline(b))
	f.Add([]byte(`{"v":1,"seq":1,"time":"2026-01-01T00:00:00Z","type":"a.b","actor":"x","prev":"","hash":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Decode(b)
		if err != nil {
			return
		}
		// What is accepted is exactly what would have been written.
		_, again, err := Next(Head{Seq: r.Seq - 1, Hash: r.Prev}, r.Time, r.Event)
		if err != nil || !bytes.Equal(trimNewline(again), b) {
			t.Errorf("accepted %q, which is written %q (%v)", b, again, err)
		}
	})
}

// Whatever the files hold, reading ends, and appending to it works or says why.
func FuzzReader(f *testing.F) {
	dir := f.TempDir()
	l, err := Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	for i := range 3 {
		if _, err := l.Append(event(i)); err != nil {
			f.Fatal(err)
		}
	}
	l.Close()
	seg, _ := os.ReadFile(filepath.Join(dir, segmentName(1)))
	head, _ := os.ReadFile(filepath.Join(dir, headName))
	f.Add(seg, head)
	f.Add(seg[:len(seg)-9], head)
	f.Add([]byte("\n\n{}\n"), []byte("{}"))
	f.Fuzz(func(t *testing.T, seg, head []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, segmentName(1)), seg, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, headName), head, 0o600); err != nil {
			t.Fatal(err)
		}
		before, errBefore := Verify(dir, Check{})
		l, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, err := l.Append(event(1)); err != nil {
			return
		}
		if _, err := Verify(dir, Check{}); (err == nil) != (errBefore == nil) {
			t.Errorf("before an append: %v (%+v), after it: %v", errBefore, before, err)
		}
	})
}
