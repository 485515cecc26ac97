package blob

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestDir(t *testing.T) {
	ctx := t.Context()
	d, err := NewDir(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	incoming := filepath.Join(t.TempDir(), "in")
	adopt(t, d, incoming)
	if err := d.Adopt(ctx, "bdl-1234", incoming); err != nil {
		t.Errorf("adopting again after a crash: %v", err)
	}
	f, size, err := d.Open(ctx, "bdl-1234")
	if err != nil || size != 5 {
		t.Fatalf("Open: %d bytes, %v", size, err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || string(b) != "hello" {
		t.Errorf("content %q, %v", b, err)
	}
	if free, err := d.Free(); err != nil || free <= 0 {
		t.Errorf("Free() = %d, %v", free, err)
	}
	for range 2 {
		if err := d.Delete(ctx, "bdl-1234"); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := d.Open(ctx, "bdl-1234"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of nothing: %v", err)
	}
}

func adopt(t *testing.T, d *Dir, incoming string) {
	t.Helper()
	if err := os.WriteFile(incoming, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Adopt(t.Context(), "bdl-1234", incoming); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(incoming); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still where it came from: %v", err)
	}
}

// From another file system it is copied.
func TestAdoptAcrossFileSystems(t *testing.T) {
	shm, err := os.MkdirTemp("/dev/shm", "latchstring-test-")
	if err != nil {
		t.Skip("/dev/shm cannot be written")
	}
	defer os.RemoveAll(shm)
	d, err := NewDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	adopt(t, d, filepath.Join(shm, "in"))
}

func TestHostileIDs(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "outside"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := NewDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"../outside", "..", "", "/etc/passwd", "a/b", ".hidden", "bdl\x00", "BDL-1"} {
		if _, _, err := d.Open(t.Context(), id); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Open(%q): %v; want ErrInvalid", id, err)
		}
		if err := d.Delete(t.Context(), id); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Delete(%q): %v; want ErrInvalid", id, err)
		}
		if err := d.Adopt(t.Context(), id, filepath.Join(dir, "outside")); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Adopt(%q): %v; want ErrInvalid", id, err)
		}
	}
}
