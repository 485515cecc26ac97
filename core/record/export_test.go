package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchstring/latchstring/core/record/ttyrec"
)

// stepClock goes on by the given times, and then stands.
func stepClock(steps ...time.Duration) func() time.Time {
	t := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	return func() time.Time {
		if len(steps) > 0 {
			t = t.Add(steps[0])
			steps = steps[1:]
		}
		return t
	}
}

// exported is a recording with everything that players trip over.
func exported(t *testing.T, format Format) (dir string, want map[uint32]string) {
	t.Helper()
	f := newFixture(t)
	ms := time.Millisecond
	r := f.start(t, "con-play0001", func(o *Options) {
		o.Now = stepClock(0, 0, 0, 5*ms, 10*ms, 10*ms, 10*ms, 10*ms, 500*ms, 0, 0, 10*ms, 10*ms)
	})
	must(t, r.Resize(0, 100, 30))
	must(t, r.Note(Note{Kind: Shell}))
	want = map[uint32]string{}
	for _, p := range []string{"hello\r\n", "\x1b[31mna\xc3", "\xafve \xf0\x9f", "\x98\x80\x1b[0m\r\n", "second line\r\n"} {
		must(t, r.Output(0, []byte(p)))
		want[0] += p
	}
	big := strings.Repeat("0123456789", 30_000)
	must(t, r.Note(Note{Kind: Command, Channel: 1, Command: "cat big"}))
	must(t, r.Output(1, []byte(big+"\n")))
	want[1] = big + "\n"
	must(t, r.Resize(0, 90, 20))
	_, err := r.Close("done")
	must(t, err)
	rd, err := Open(f.path("con-play0001"), f.age)
	must(t, err)
	out := filepath.Join(t.TempDir(), "out")
	done, err := Export(rd, out, format)
	must(t, err)
	if len(done.Channels) != 2 || !done.Channels[0].Terminal || done.Channels[1].Terminal || done.Channels[1].Command != "cat big" {
		t.Errorf("exported %+v", done)
	}
	if _, err := Export(rd, out, format); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second export: %v", err)
	}
	return out, want
}

const resize0, resize1 = "\x1b[8;30;100t", "\x1b[8;20;90t"

// REQ E1
func TestExportTtyrec(t *testing.T) {
	dir, want := exported(t, Ttyrec)
	for ch, text := range want {
		f, err := os.Open(filepath.Join(dir, ttyrecName(ch)))
		must(t, err)
		defer f.Close()
		var got []string
		var last time.Time
		for r := ttyrec.NewReader(f); ; {
			rec, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			must(t, err)
			if rec.Time.Before(last) || len(rec.Payload) == 0 {
				t.Errorf("channel %d: record %d at %v", ch, len(got), rec.Time)
			}
			last = rec.Time
			got = append(got, string(rec.Payload))
		}
		if len(got) < 2 || !strings.HasPrefix(got[0], "\x1b[8;") {
			t.Errorf("channel %d begins with %.20q", ch, got)
		}
		all := strings.Join(got, "")
		for _, size := range []string{resize0, resize1, "\x1b[8;24;80t"} {
			all = strings.ReplaceAll(all, size, "")
		}
		if all != text {
			t.Errorf("channel %d: %.80q", ch, all)
		}
	}
}

func ttyrecName(ch uint32) string { return "con-play0001-" + string('0'+byte(ch)) + ".ttyrec" }

// Real players play it: ttyplay and ttytime of Debian's ttyrec, termcat and
// termtime of its termrec.
func TestRealPlayers(t *testing.T) {
	dir, want := exported(t, Ttyrec)
	file := filepath.Join(dir, ttyrecName(0))
	screen := resize0 + want[0] + resize1
	t.Run("ttyplay", func(t *testing.T) {
		got := player(t, "ttyrec", "ttyplay", "-n", file)
		if diff := cmp.Diff(screen, strings.ReplaceAll(got, resize1+resize1, resize1)); diff != "" {
			t.Error(diff)
		}
		if got := player(t, "ttyrec", "ttyplay", "-n", filepath.Join(dir, ttyrecName(1))); !strings.Contains(got, want[1]) {
			t.Errorf("long output: %d bytes", len(got))
		}
	})
	t.Run("ttytime", func(t *testing.T) {
		if got := player(t, "ttyrec", "ttytime", file); !strings.HasPrefix(strings.TrimSpace(got), "0\t") {
			t.Errorf("%q", got)
		}
	})
	t.Run("termcat", func(t *testing.T) {
		again := filepath.Join(t.TempDir(), "again.ttyrec")
		player(t, "termrec", "termcat", file, again)
		if got := player(t, "ttyrec", "ttyplay", "-n", again); strings.ReplaceAll(got, resize1+resize1, resize1) != screen {
			t.Errorf("%q", got)
		}
	})
	t.Run("termtime", func(t *testing.T) {
		if got := player(t, "termrec", "termtime", file); !strings.HasPrefix(strings.TrimSpace(got), "0.5") {
			t.Errorf("%q", got)
		}
	})
}

func player(t *testing.T, pkg, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: apt-get install %s", name, pkg)
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, errs.String())
	}
	return out.String()
}

// The parser of asciinema-player itself reads both formats. The package is
// fetched by `npm pack asciinema-player@3.17.0`; ASCIINEMA_PLAYER names the
// folder it was unpacked to.
func TestAsciinemaPlayer(t *testing.T) {
	pkg := os.Getenv("ASCIINEMA_PLAYER")
	node, err := exec.LookPath("node")
	if pkg == "" || err != nil {
		t.Skip("needs node, and ASCIINEMA_PLAYER=folder of the npm package asciinema-player 3.17.0")
	}
	for _, format := range []Format{Ttyrec, Asciicast} {
		t.Run(string(format), func(t *testing.T) {
			dir, want := exported(t, format)
			file := filepath.Join(dir, "con-play0001-0."+map[Format]string{Ttyrec: "ttyrec", Asciicast: "cast"}[format])
			out, err := exec.CommandContext(t.Context(), node, "testdata/parse.mjs", pkg, string(format), file).Output()
			must(t, err)
			var got struct {
				Cols, Rows int
				Events     [][]any
			}
			must(t, json.Unmarshal(out, &got))
			if got.Cols != 100 || got.Rows != 30 {
				t.Errorf("size %d x %d", got.Cols, got.Rows)
			}
			var text strings.Builder
			last := 0.0
			for _, e := range got.Events {
				at := e[0].(float64)
				if at < last {
					t.Errorf("time goes back to %v", at)
				}
				last = at
				if e[1] == "o" {
					text.WriteString(e[2].(string))
				}
			}
			all := strings.NewReplacer(resize0, "", resize1, "").Replace(text.String())
			if all != want[0] {
				t.Errorf("it shows %q", all)
			}
			if last == 0 {
				t.Error("it takes no time")
			}
		})
	}
}

func TestExportAsciicast(t *testing.T) {
	dir, want := exported(t, Asciicast)
	b, err := os.ReadFile(filepath.Join(dir, "con-play0001-0.cast"))
	must(t, err)
	var text strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if i == 0 {
			continue
		}
		var e []any
		must(t, json.Unmarshal([]byte(line), &e))
		if e[1] == "o" {
			text.WriteString(e[2].(string))
		}
	}
	if text.String() != want[0] {
		t.Errorf("%q", text.String())
	}
	if b, err = os.ReadFile(filepath.Join(dir, "con-play0001-1.cast")); err != nil || !bytes.Contains(b, []byte(`9\r\n`)) {
		t.Errorf("the lines of a command without a terminal: %v", err)
	}
	if b, err = os.ReadFile(filepath.Join(dir, "con-play0001.json")); err != nil || !bytes.Contains(b, []byte("cat big")) {
		t.Errorf("the notes: %v", err)
	}
}
