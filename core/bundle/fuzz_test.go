package bundle

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(newForged(f, TarZstd, map[string]string{"a/x": "hello"}, nil).bodies[0]))
	f.Add([]byte(`{"format":"latchstring-bundle/1","name":"x"}`))
	f.Add([]byte(`{"format":"latchstring-bundle/1","name":"../x","files":[{"path":"/"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		for _, x := range m.Files {
			if !filepath.IsLocal(x.Path) {
				t.Errorf("accepted %q", x.Path)
			}
		}
		again, err := encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseManifest(again); err != nil {
			t.Errorf("what was accepted is refused after a round trip: %v", err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	for _, format := range []Format{TarZstd, TarGz, Zip} {
		f.Add(newForged(f, format, map[string]string{"a/x": "hello"}, nil).add("a/x", "hello").bytes())
		f.Add(newForged(f, format, nil, nil).add("../x", "hello").bytes())
	}
	parent := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := OpenReaderAt("fuzz", bytes.NewReader(data), int64(len(data)), OpenOptions{Limits: ReadLimits{Files: 50, Size: 1 << 20}})
		if err != nil {
			return
		}
		dir, err := os.MkdirTemp(parent, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		_, verr := b.Verify(t.Context(), VerifyOptions{})
		if uerr := b.Unpack(t.Context(), filepath.Join(dir, "out")); uerr == nil && verr != nil {
			t.Errorf("unpacked what does not verify: %v", verr)
		}
	})
}

func FuzzMemberPath(f *testing.F) {
	for _, s := range []string{"a", "/a/../b", "a/./b", "..", "\x00", "a\\..\\b", "caf\xe9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p, err := memberPath("logs", name)
		if err != nil {
			return
		}
		if err := checkPath(p); err != nil {
			t.Error(err)
		}
	})
}
