package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of that many bytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("needs to mount a small file system, as root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// REQ J2: a disk that fills up ends the run with one clear error, and what was
// spooled is removed.
func TestFullDisk(t *testing.T) {
	random := func(n int) string { // does not compress
		b := make([]byte, n)
		x := uint32(1)
		for i := range b {
			x = x*1664525 + 1013904223
			b[i] = 'a' + byte(x>>24)%26
		}
		return string(b)
	}
	for _, tt := range []struct {
		when  string
		sizes []int
	}{
		{"while spooling", []int{400 << 10, 900 << 10}},
		{"while packing", []int{600 << 10}},
	} {
		t.Run(tt.when, func(t *testing.T) {
			o := testOptions(t)
			o.Spool = filepath.Join(smallDisk(t, "1m"), "spool")
			o.Limits.Reserve = 0
			c := &list{name: "c"}
			for _, n := range tt.sizes {
				c.items = append(c.items, listed{name: "f", text: random(n)})
			}
			d, err := Collect(t.Context(), []Collector{c}, o)
			if err == nil {
				_, err = d.Pack(t.Context())
				if cerr := d.Close(); cerr != nil {
					t.Error(cerr)
				}
			}
			var space *SpaceError
			if !errors.As(err, &space) || !strings.Contains(err.Error(), o.Spool) || space.Hint() == "" {
				t.Errorf("got %v", err)
			}
			wantEmptySpool(t, o)
		})
	}
	t.Run("while sealing", func(t *testing.T) {
		p := pack(t, testOptions(t), &list{name: "c", items: []listed{{name: "f", text: random(3 << 20)}}})
		dir := smallDisk(t, "1m")
		_, err := p.Seal(t.Context(), filepath.Join(dir, "b"))
		var space *SpaceError
		if !errors.As(err, &space) || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v", err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
}

func TestSpaceErrorIsAboutSpaceOnly(t *testing.T) {
	if err := asSpaceError("/", syscall.EIO, 0); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
	if err := asSpaceError("/", &os.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, 0); err.(*SpaceError).Dir != "/" {
		t.Errorf("got %v", err)
	}
}
