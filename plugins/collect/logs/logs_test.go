package logs

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
)

func write(t *testing.T, p, text string, age time.Duration) {
	t.Helper()
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-age)
	if err := os.Chtimes(p, then, then); err != nil {
		t.Fatal(err)
	}
}

func zip(t *testing.T, text string) string {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// REQ H9: rotated, compressed logs are read through, so that the sanitizer
// sees what is in them.
func TestCollect(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "new\n", time.Hour)
	write(t, filepath.Join(dir, "app.log.1"), "older\n", 24*time.Hour)
	write(t, filepath.Join(dir, "app.log.2.gz"), zip(t, "oldest\n"), 48*time.Hour)
	write(t, filepath.Join(dir, "both.gz"), zip(t, "compressed"), time.Minute)
	write(t, filepath.Join(dir, "both"), "plain", time.Second)
	write(t, filepath.Join(dir, "trap.gz"), zip(t, "\x00\x01"), 3*time.Hour)
	write(t, filepath.Join(dir, "broken.gz"), zip(t, strings.Repeat("x", 5000))[:20], 3*time.Hour)
	write(t, filepath.Join(dir, "wtmp"), "\x00", time.Hour)
	write(t, filepath.Join(dir, "huge.log"), strings.Repeat("0123456789\n", 100), 2*time.Hour)
	write(t, filepath.Join(dir, "ancient.log"), "x", 1000*time.Hour)

	c := &Collector{settings{Paths: []string{dir + "/**"}, Exclude: []string{"wtmp"}, MaxFile: 115}}
	s := sinktest.New(t)
	if err := c.Collect(t.Context(), collect.Request{Since: time.Now().Add(-100 * time.Hour)}, s); err != nil {
		t.Fatal(err)
	}
	for suffix, want := range map[string]string{
		"/app.log": "new\n", "/app.log.1": "older\n", "/app.log.2": "oldest\n", "/both": "plain", "/both.gz": "compressed",
		"/huge.log": strings.Repeat("0123456789\n", 10),
	} {
		if g := s.Find(suffix); g.Text != want || g.Failed != "" {
			t.Errorf("%s: %q, failed %q", suffix, g.Text, g.Failed)
		}
	}
	if g := s.Find("/huge.log"); !strings.Contains(g.Truncated, "the last 115") {
		t.Errorf("huge.log: %q", g.Truncated)
	}
	if g := s.Find("/trap"); g.Text != "" || !strings.Contains(g.Failed, "binary") {
		t.Errorf("trap: %+v", g)
	}
	if g := s.Find("/broken"); g.Failed == "" {
		t.Errorf("half a gzip file is no failure: %+v", g)
	}
	if !strings.HasSuffix(s.Order[0], "/both") || !strings.HasSuffix(s.Order[len(s.Order)-2], "/app.log.2") {
		t.Errorf("not the newest first: %q", s.Order)
	}
	if ix := s.Find("index.txt").Text; !strings.Contains(ix, "ancient.log   (older than asked for)") {
		t.Errorf("index:\n%s", ix)
	}
}

func TestJournalIsAskedWithinBounds(t *testing.T) {
	c := &Collector{settings{JournalLines: 5, Journal: true, Timeout: time.Second}}
	it, argv := c.journal(collect.Request{Since: time.Unix(1700000000, 0)})
	line := strings.Join(argv, " ")
	if !strings.Contains(line, "--lines=5") || !strings.Contains(line, "--since=@1700000000") || it.Timeout != time.Second {
		t.Errorf("%s, %v", line, it.Timeout)
	}
	if n := c.Needs(); !n.Command(argv) || n.Command([]string{"sh", "-c", "journalctl"}) {
		t.Error("the command is not what is declared")
	}
}

// Journal files of another root are read without journalctl.
func TestJournalFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"regular", "compact"} {
		f, err := os.Open(filepath.Join("journal", "testdata", name+".journal.gz"))
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		at := filepath.Join(dir, name, "system.journal") // the same name twice
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, at, string(b), map[string]time.Duration{"regular": time.Hour, "compact": time.Minute}[name])
	}
	write(t, filepath.Join(dir, "bad.journal"), "no journal", 2*time.Hour)
	write(t, filepath.Join(dir, "other.txt"), "x", 0)
	for _, tt := range []struct {
		lines         int
		newest, older int // lines
	}{{1000, 303, 303}, {310, 303, 9}, {5, 6, 0}} { // one entry has two lines
		s := sinktest.New(t)
		c := &Collector{settings{Journal: true, JournalLines: tt.lines, JournalFiles: []string{dir + "/**"}}}
		if err := c.collectJournal(t.Context(), collect.Request{}, s); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{"journal/system.txt": tt.newest, "journal/system-2.txt": tt.older} {
			g := s.Items[name]
			if g == nil || strings.Count(g.Text, "\n") != want || want == 0 && g.Failed == "" {
				t.Errorf("%d lines: %s: %+v", tt.lines, name, g)
			}
		}
		if g := s.Items["journal/bad.txt"]; g == nil || g.Failed == "" {
			t.Errorf("%d lines: no journal: %+v", tt.lines, g)
		}
	}
	s := sinktest.New(t)
	c := &Collector{settings{Journal: true, JournalLines: 10, JournalFiles: []string{t.TempDir() + "/**"}}}
	if err := c.collectJournal(t.Context(), collect.Request{}, s); err != nil || s.Items["journal.txt"] == nil || s.Items["journal.txt"].Absent == "" {
		t.Errorf("nothing there: %v %+v", err, s.Items)
	}
}
