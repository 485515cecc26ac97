package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// An attacker with the right to write the files, record by record.
// REQ E8: the customer can verify that nothing was changed or removed.
func TestVerifyFindsChanges(t *testing.T) {
	type lines = [][]byte
	tests := []struct {
		name   string
		change func(lines) lines
		want   string // file:line: what
	}{
		{"change a letter", func(l lines) lines {
			l[3] = bytes.Replace(l[3], []byte("bundle-3"), []byte("bundle-9"), 1)
			return l
		}, ".jsonl:4: hash does not fit"},
		{"change and hash anew", func(l lines) lines { l[3] = rewrite(t, l[3], "bundle-9"); return l },
			".jsonl:5: record 5 does not follow record 4 as it stands"},
		{"change the last and hash anew", func(l lines) lines { l[9] = rewrite(t, l[9], "bundle-9x"); return l },
			"head.json: names another record 10"},
		{"remove one", func(l lines) lines { return slices.Delete(l, 3, 4) }, ".jsonl:4: record 5 follows record 3: 1 missing"},
		{"remove the first", func(l lines) lines { return l[1:] }, ".jsonl:1: record 2 comes first"},
		{"remove the last", func(l lines) lines { return l[:9] }, "head.json: names record 10, and the log ends at 9"},
		{"remove all", func(l lines) lines { return nil }, "head.json: names record 10, and the log ends at 0"},
		{"cut the last short", func(l lines) lines { l[9] = l[9][:20]; return l }, "the last line was cut short"},
		{"cut its newline", func(l lines) lines { l[9] = l[9][:len(l[9])-1]; return l }, "the last line was cut short"},
		{"swap two", func(l lines) lines { l[3], l[4] = l[4], l[3]; return l }, ".jsonl:4: record 5 follows record 3"},
		{"double one", func(l lines) lines { return slices.Insert(l, 4, bytes.Clone(l[3])) }, ".jsonl:5: record 4 stands here twice"},
		{"insert one", func(l lines) lines { return slices.Insert(l, 4, follow(t, l[3])) }, ".jsonl:6: record 5 stands here twice"},
		{"insert an old one", func(l lines) lines { return slices.Insert(l, 7, bytes.Clone(l[1])) }, "record 2 stands behind record 7"},
		{"insert garbage", func(l lines) lines { return slices.Insert(l, 4, []byte("# a comment\n")) }, ".jsonl:5: not a record"},
		{"insert an empty line", func(l lines) lines { return slices.Insert(l, 4, []byte("\n")) }, ".jsonl:5: empty line"},
		{"insert a very long line", func(l lines) lines { return slices.Insert(l, 4, append(bytes.Repeat([]byte("x"), 5*MaxLine), '\n')) }, ".jsonl:5: the line has no end"},
		{"white space", func(l lines) lines { l[3] = append([]byte(" "), l[3]...); return l }, ".jsonl:4: not a record in its canonical spelling"},
		{"second member of the name", func(l lines) lines {
			l[3] = bytes.Replace(l[3], []byte(`"actor":`), []byte(`"actor":"nobody","actor":`), 1)
			return l
		}, ".jsonl:4: not a record in its canonical spelling"},
		{"newer version", func(l lines) lines { l[3] = bytes.Replace(l[3], []byte(`{"v":1`), []byte(`{"v":2`), 1); return l }, ".jsonl:4: record of format version 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := fill(t, 10)
			path := filepath.Join(dir, segmentName(1))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			l := bytes.SplitAfter(b, []byte("\n"))
			if err := os.WriteFile(path, bytes.Join(tt.change(l[:10]), nil), 0o600); err != nil {
				t.Fatal(err)
			}
			wantBroken(t, dir, Check{}, tt.want)
			// The log goes on, and the damage stays visible.
			mustAppend(t, open(t, dir), event(99))
			if _, err := Verify(dir, Check{}); err == nil {
				t.Error("after one more record the damage is not found any more")
			}
		})
	}
}

func wantBroken(t *testing.T, dir string, c Check, want string) Report {
	t.Helper()
	rep, err := Verify(dir, c)
	var broken *BrokenError
	if !errors.As(err, &broken) || broken.ExitCode() != 4 {
		t.Fatalf("Verify = %v; want a BrokenError", err)
	}
	for _, p := range rep.Problems {
		if strings.Contains(p.Error(), want) {
			return rep
		}
	}
	t.Errorf("Verify = %v; want one with %q", rep.Problems, want)
	return rep
}

func rewrite(t *testing.T, line []byte, subject string) []byte {
	t.Helper()
	r, err := Decode(trimNewline(line))
	if err != nil {
		t.Fatal(err)
	}
	r.Subject = subject
	return remake(t, Head{Seq: r.Seq - 1, Hash: r.Prev}, r)
}

func follow(t *testing.T, line []byte) []byte {
	t.Helper()
	r, err := Decode(trimNewline(line))
	if err != nil {
		t.Fatal(err)
	}
	return remake(t, Head{Seq: r.Seq, Hash: r.Hash}, r)
}

func remake(t *testing.T, h Head, r Record) []byte {
	t.Helper()
	_, b, err := Next(h, r.Time, r.Event)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVerifyFindsMissingFiles(t *testing.T) {
	tests := []struct {
		name, remove, want string
	}{
		{"head", "head", "head.json: is missing"},
		{"first segment", "first", "everything before it is missing"},
		{"middle segment", "middle", "the segment begins with record"},
		{"last segment", "last", "the end was removed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := fill(t, 12, small(900))
			segs, err := segments(dir)
			if err != nil || len(segs) < 3 {
				t.Fatalf("%d segments, %v", len(segs), err)
			}
			name := map[string]string{"head": headName, "first": segs[0].name, "middle": segs[1].name, "last": segs[len(segs)-1].name}[tt.remove]
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			wantBroken(t, dir, Check{}, tt.want)
			mustAppend(t, open(t, dir), event(99))
			if _, err := Verify(dir, Check{}); err == nil {
				t.Error("after one more record the loss is not found any more")
			}
		})
	}
}

// fakeSigner shows what a signature adds; core/identity tests the real one.
type fakeSigner struct{ key string }

func (s fakeSigner) Sign(ns string, m []byte) ([]byte, error) {
	return []byte(s.key + ns + string(m)), nil
}
func (s fakeSigner) check(ns string, m, sig []byte) error {
	if want, _ := s.Sign(ns, m); !bytes.Equal(want, sig) {
		return errors.New("not by this key")
	}
	return nil
}

func TestSignedHead(t *testing.T) {
	key := fakeSigner{"k1"}
	check := Check{Signature: key.check}
	dir := fill(t, 6, WithSigner(key))
	if rep, err := Verify(dir, check); err != nil || !rep.Signed {
		t.Fatalf("Verify = %+v, %v", rep, err)
	}
	// The end is removed and the head made to fit, without the key.
	truncate(t, dir, 4, nil)
	wantBroken(t, dir, check, "head.json: is not signed")
	truncate(t, dir, 3, fakeSigner{"k2"})
	wantBroken(t, dir, check, "head.json: has a bad signature")
}

// A head that was kept elsewhere finds even what is done with the key.
func TestAnchors(t *testing.T) {
	key := fakeSigner{"k1"}
	dir := fill(t, 6, WithSigner(key))
	anchor, _, err := readHead(dir)
	if err != nil {
		t.Fatal(err)
	}
	check := Check{Signature: key.check, Anchors: []Head{anchor}}
	if rep, err := Verify(dir, check); err != nil || rep.Anchored != 6 {
		t.Fatalf("Verify = %+v, %v", rep, err)
	}
	truncate(t, dir, 5, key)
	if _, err := Verify(dir, Check{Signature: key.check}); err != nil {
		t.Fatalf("the attack is not what this test means: %v", err)
	}
	wantBroken(t, dir, check, "record 6 was anchored, and the log ends at 5")
	l := open(t, dir, WithSigner(key))
	mustAppend(t, l, event(100))
	mustAppend(t, l, event(101))
	wantBroken(t, dir, check, "record 6 is not the one that was anchored")
}

// truncate removes the records behind n and sets the head back.
func truncate(t *testing.T, dir string, n int, s Signer) {
	t.Helper()
	path := filepath.Join(dir, segmentName(1))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(b, []byte("\n"))[:n]
	if err := os.WriteFile(path, bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Decode(trimNewline(lines[n-1]))
	if err != nil {
		t.Fatal(err)
	}
	if err := writeHead(dir, Head{Version: 1, Seq: r.Seq, Hash: r.Hash, Time: time.Now().UTC()}, s); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedHeadFile(t *testing.T) {
	for _, content := range []string{"", "null", "{", `{"v":2,"seq":1}`, `{"v":1,"seq":3,"hash":"x"}`} {
		dir := fill(t, 3)
		if err := os.WriteFile(filepath.Join(dir, headName), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		wantBroken(t, dir, Check{}, "head.json")
		mustAppend(t, open(t, dir), event(4))
		wantBroken(t, dir, Check{}, "records that damage was found here: the head file is damaged")
	}
}

// A disk that is full when the record is written loses nothing that was there.
func TestUnwritable(t *testing.T) {
	dir := fill(t, 3)
	l := open(t, dir)
	if err := os.Remove(filepath.Join(dir, segmentName(1))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, segmentName(1)), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(event(4)); err == nil || !strings.Contains(err.Error(), segmentName(1)) {
		t.Errorf("Append = %v; want an error that names the file", err)
	}
}
