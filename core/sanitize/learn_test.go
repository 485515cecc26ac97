package sanitize

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"
)

// The order of files, and of members, does not matter once all are learned.
func TestLearnFirst(t *testing.T) {
	s := keyed(t)
	const early, late = "login with Xk9qLm2vBz7 failed\n", "db_password = Xk9qLm2vBz7\n"
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, m := range [][2]string{{"a.log", early}, {"z.conf", late}} {
		if err := w.WriteHeader(&tar.Header{Name: m[0], Size: int64(len(m[1])), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m[1])
	}
	w.Close()
	in := File{Name: "a.tar"}
	if err := s.Learn(t.Context(), bytes.NewReader(archive.Bytes()), in); err != nil {
		t.Fatal(err)
	}
	if r := s.Report(); len(r.Files) != 0 || len(r.Rules) != 0 {
		t.Errorf("learning is counted: %+v", r)
	}
	var out bytes.Buffer
	if _, err := s.Copy(t.Context(), &out, &archive, in); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "Xk9q") {
		t.Error("the first member shows what the last one gave away")
	}
	if hits, err := s.Check(t.Context(), &out, in); err != nil || len(hits) > 0 {
		t.Errorf("the gate finds %v, %v", hits, err)
	}
	if err := s.Learn(t.Context(), strings.NewReader("\x1f\x8b\x08 broken"), File{Name: "x.gz"}); err != nil {
		t.Errorf("what will be left out is no error: %v", err)
	}
}
