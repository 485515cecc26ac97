package deliver

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func openQueue(t *testing.T, dir string) *Queue {
	t.Helper()
	q, err := OpenQueue(dir)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestQueue(t *testing.T) {
	dir := t.TempDir()
	q := openQueue(t, filepath.Join(dir, "queue"))
	a, body := add(t, q, dir, 100)
	b, _ := add(t, q, dir, 200)
	list, err := openQueue(t, filepath.Join(dir, "queue")).List()
	if err != nil || len(list) != 2 {
		t.Fatalf("List = %+v, %v", list, err)
	}
	got, err := os.ReadFile(q.Path(a))
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("the bundle in the queue differs: %v", err)
	}
	if fi, err := os.Stat(filepath.Dir(q.Path(a))); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v; want 0700", fi.Mode(), err)
	}
	if err := q.Drop(b.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{b.ID, "", "..", "../x", "receipts", ".lock"} {
		if err := q.Drop(id); !errors.Is(err, ErrNoItem) {
			t.Errorf("Drop(%q) = %v; want ErrNoItem", id, err)
		}
	}
	if list, err := q.List(); err != nil || len(list) != 1 || list[0] != a {
		t.Errorf("List = %+v, %v; want %+v", list, err, a)
	}
}

func TestAddRefuses(t *testing.T) {
	dir := t.TempDir()
	q := openQueue(t, filepath.Join(dir, "queue"))
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, dir, filepath.Join(dir, "absent")} {
		if _, err := q.Add(path, Info{}); err == nil {
			t.Errorf("Add(%s) succeeded", path)
		}
	}
}

// A bundle on another file system is copied, then removed there.
func TestAddAcrossFileSystems(t *testing.T) {
	shm, err := os.MkdirTemp("/dev/shm", "latchstring-test-")
	if err != nil {
		t.Skip("/dev/shm cannot be written")
	}
	defer os.RemoveAll(shm)
	q := openQueue(t, t.TempDir())
	it, body := add(t, q, shm, 1000)
	if got, err := os.ReadFile(q.Path(it)); err != nil || !bytes.Equal(got, body) {
		t.Errorf("the bundle in the queue differs: %v", err)
	}
	if entries, _ := os.ReadDir(shm); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// REQ J2: killed at any step of Add or Drop, the queue has a bundle whole or
// not at all, and none is lost.
func TestKilledInTheMiddle(t *testing.T) {
	const id = "20260102T030405Z-01020304"
	record := func(t *testing.T, dir string, size int64) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := writeItem(dir, Item{Version: 1, ID: id, Size: size, Filename: "b"}); err != nil {
			t.Fatal(err)
		}
	}
	bytesIn := func(t *testing.T, dir string) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, bundleName), []byte("hello"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		leave func(t *testing.T, q string)
		want  int
	}{
		{"directory made", func(t *testing.T, q string) { os.Mkdir(filepath.Join(q, newPrefix+id), 0o700) }, 0},
		{"record written", func(t *testing.T, q string) { record(t, filepath.Join(q, newPrefix+id), 5) }, 0},
		{"half copied", func(t *testing.T, q string) {
			record(t, filepath.Join(q, newPrefix+id), 50)
			bytesIn(t, filepath.Join(q, newPrefix+id))
		}, 0},
		{"bundle moved in", func(t *testing.T, q string) {
			record(t, filepath.Join(q, newPrefix+id), 5)
			bytesIn(t, filepath.Join(q, newPrefix+id))
		}, 1},
		{"renamed", func(t *testing.T, q string) { record(t, filepath.Join(q, id), 5); bytesIn(t, filepath.Join(q, id)) }, 1},
		{"being dropped", func(t *testing.T, q string) {
			record(t, filepath.Join(q, oldPrefix+id), 5)
			bytesIn(t, filepath.Join(q, oldPrefix+id))
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			tt.leave(t, dir)
			q := openQueue(t, dir)
			list, err := q.List()
			if err != nil || len(list) != tt.want {
				t.Fatalf("List = %+v, %v; want %d", list, err, tt.want)
			}
			if tt.want == 1 {
				f, err := q.open(list[0])
				if err != nil {
					t.Fatal(err)
				}
				f.Close()
			}
			left, _ := filepath.Glob(filepath.Join(dir, ".[no]*"))
			if len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestDamagedRecord(t *testing.T) {
	dir := t.TempDir()
	q := openQueue(t, filepath.Join(dir, "queue"))
	it, _ := add(t, q, dir, 10)
	for _, text := range []string{"{", `{"v":2}`} {
		if err := os.WriteFile(filepath.Join(dir, "queue", it.ID, itemName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := q.List(); err == nil {
			t.Errorf("a queue with the record %q was listed", text)
		}
	}
}
