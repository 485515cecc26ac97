package sanitize

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// The gate agrees with the engine on the files of this machine: a false alarm
// there would stop every bundle. What is on the machine differs from place to
// place, which is the point.
func TestGateOnThisMachine(t *testing.T) {
	if testing.Short() {
		t.Skip("reads many files")
	}
	key := Key{1}
	s, err := New(Options{Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	files, size := 0, int64(0)
	for _, dir := range []string{"/etc", "/var/log", "/usr/share/perl5", "/usr/lib/python3"} {
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || files >= 3000 || size > 48<<20 {
				return nil
			}
			info, err := d.Info()
			if err != nil || info.Size() > 4<<20 {
				return nil
			}
			in, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			files++
			size += int64(len(in))
			var out bytes.Buffer
			f := File{Name: path, Learn: dir == "/etc"}
			r, err := s.Copy(t.Context(), &out, bytes.NewReader(in), f)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return nil
			}
			if r.Omitted != "" {
				return nil
			}
			hits, err := s.Check(t.Context(), bytes.NewReader(out.Bytes()), f)
			if err != nil {
				t.Errorf("%s: check: %v", path, err)
			}
			for _, h := range hits {
				t.Errorf("%s: the check finds rule %s in what was sanitized", path, h.Rule)
			}
			return nil
		})
	}
	t.Logf("%d files, %d bytes", files, size)
}
