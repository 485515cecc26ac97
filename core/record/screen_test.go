package record

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// What is streamed is what is exported, and a sealed original that was unpacked
// elsewhere holds and opens as it did here.
// REQ E1, E2, E8
func TestWritten(t *testing.T) {
	f := newFixture(t)
	r := f.start(t, "con-play0002")
	must(t, r.Resize(0, 100, 30))
	must(t, r.Output(0, []byte("hello\r\n")))
	must(t, r.Output(1, []byte("other\n")))
	_, err := r.Close("done")
	must(t, err)
	dir := f.path("con-play0002")
	rd, err := Open(dir, f.age)
	must(t, err)
	done, err := Export(rd, t.TempDir(), Ttyrec)
	must(t, err)
	for _, c := range done.Channels {
		var b bytes.Buffer
		must(t, WriteTtyrec(&b, rd, c.Channel))
		if !bytes.Contains(b.Bytes(), []byte(map[uint32]string{0: "hello", 1: "other"}[c.Channel])) || bytes.Contains(b.Bytes(), []byte(map[uint32]string{1: "hello", 0: "other"}[c.Channel])) {
			t.Errorf("channel %d: %q", c.Channel, b.Bytes())
		}
	}
	var b bytes.Buffer
	must(t, WriteSealed(&b, dir))
	if bytes.Contains(b.Bytes(), []byte("hello")) {
		t.Error("the sealed original is not sealed")
	}
	out := t.TempDir()
	must(t, os.Mkdir(filepath.Join(out, "con-play0002"), 0o700))
	for in := tar.NewReader(&b); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		content, err := io.ReadAll(in)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(out, h.Name), content, 0o600))
	}
	copied := filepath.Join(out, "con-play0002")
	report, err := Verify(copied, f.check())
	must(t, err)
	if again, err := Open(copied, f.age); err != nil || again.Begin() != rd.Begin() || report.End == nil {
		t.Errorf("%+v, %v", report, err)
	}
}
