package bundle

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// REQ H2, H9: a secret that configuration gives away is swept from the logs,
// although the logs collector stands first.
func TestConfigurationComesFirst(t *testing.T) {
	o := testOptions(t)
	b := openBundle(t, seal(t, pack(t, o, logsAndConfig()...)), OpenOptions{})
	want := map[string]string{
		"config/etc/app.conf": "password=REDACTED_password_1\n",
		"logs/app.log":        "login with REDACTED_password_1 failed\n",
	}
	if d := cmp.Diff(want, contents(t, b)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Missing{{Collector: "logs", Name: "old.log", Source: "/old.log", State: Absent, Reason: "not there"}}, b.Manifest.Missing); d != "" {
		t.Error(d)
	}
}

func TestWhatIsMissingHasItsReason(t *testing.T) {
	code := 3
	big := strings.Repeat("x", 5000)
	tests := []struct {
		name  string
		c     *list
		opt   func(*Options)
		files []string
		state State
		want  string // in the reason
	}{
		{"a collector that dies", &list{name: "c", items: []listed{{name: "a", text: "1"}}, err: errors.New("plugin crashed")}, nil, []string{"c/a", "ok/a"}, Failed, "plugin crashed"},
		{"a binary", &list{name: "c", items: []listed{{name: "a", text: "\x00"}}}, nil, []string{"ok/a"}, Omitted, "binary"},
		{"a reader that fails", &list{name: "c", items: []listed{{name: "a", content: io.NopCloser(io.MultiReader(strings.NewReader("x"), failing{}))}, {name: "b", text: "2"}}}, nil, []string{"c/b", "ok/a"}, Failed, "input/output"},
		{"a name that climbs", &list{name: "c", items: []listed{{name: "../../etc/passwd", text: "1"}}}, nil, []string{"ok/a"}, Failed, "climbs"},
		{"a name that is nothing", &list{name: "c", items: []listed{{name: "/", text: "1"}}}, nil, []string{"ok/a"}, Failed, "no file name"},
		{"a command that failed and said nothing", &list{name: "c", items: []listed{{name: "a", outcome: Outcome{ExitCode: &code, Failed: true, Reason: "exit 3"}}}}, nil, []string{"ok/a"}, Failed, "exit 3"},
		{"too many bytes for a collector", &list{name: "c", items: []listed{{name: "a", text: big}, {name: "b", text: big}, {name: "d", text: big}}}, func(o *Options) { o.Limits.Collector = 5000 }, []string{"c/a", "ok/a"}, Limited, "size limit"},
		{"too many files", &list{name: "c", items: []listed{{name: "a", text: "1"}, {name: "b", text: "1"}}}, func(o *Options) { o.Limits.Files = 1 }, []string{"c/a"}, Limited, "number of files"},
		{"a sanitizer that fails", &list{name: "c", items: []listed{{name: "a", text: "password=x1"}}}, func(o *Options) { o.Engine.(*fakeEngine).broken = "c/a" }, []string{"ok/a"}, Failed, "rules are broken"},
		{"a sanitizer that panics", &list{name: "c", items: []listed{{name: "a", text: "password=x1"}}}, func(o *Options) { o.Engine.(*fakeEngine).panics = "c/a" }, []string{"ok/a"}, Failed, "a bug in the sanitizer (panic of type string)"},
		{"a plan that fails", &list{name: "c", planErr: errors.New("no plan")}, nil, []string{"ok/a"}, Failed, "no plan"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := testOptions(t)
			if tt.opt != nil {
				tt.opt(&o)
			}
			b := openBundle(t, seal(t, pack(t, o, tt.c, &list{name: "ok", items: []listed{{name: "a", text: "fine"}}})), OpenOptions{})
			var got []string
			for _, f := range b.Manifest.Files {
				got = append(got, f.Path)
			}
			if d := cmp.Diff(tt.files, got); d != "" {
				t.Error(d)
			}
			found := false
			for _, m := range b.Manifest.Missing {
				found = found || m.State == tt.state && strings.Contains(m.Reason, tt.want)
			}
			if !found {
				t.Errorf("no %s with %q in %+v", tt.state, tt.want, b.Manifest.Missing)
			}
			for p, text := range contents(t, b) {
				if strings.Contains(text, "password=x1") {
					t.Errorf("%s holds what the sanitizer failed on", p)
				}
			}
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

func TestItemIsCutAtItsLimit(t *testing.T) {
	o := testOptions(t)
	o.Limits.Item = 10
	b := openBundle(t, seal(t, pack(t, o, &list{name: "c", items: []listed{{name: "long", text: "0123456789abc"}, {name: "fits", text: "0123456789"}}})), OpenOptions{})
	for _, f := range b.Manifest.Files {
		if want := f.Path == "c/long"; f.Truncated != want || f.Size != 10 {
			t.Errorf("%s: truncated %v, size %d", f.Path, f.Truncated, f.Size)
		}
	}
}

// A plugin that hands over a pipe and never writes costs its own items.
func TestHangingCollectorIsCutOff(t *testing.T) {
	for _, how := range []string{"pipe", "deaf reader", "between items"} {
		t.Run(how, func(t *testing.T) {
			o := testOptions(t)
			o.Limits.CollectorTime = 50 * time.Millisecond
			hang := &list{name: "a", items: []listed{{name: "x", text: "1"}}}
			switch how {
			case "pipe":
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				hang.items[0].content = r
			case "deaf reader":
				d := &deaf{end: make(chan struct{})}
				defer close(d.end)
				hang.items[0].content = d
			case "between items":
				hang.after = func(ctx context.Context) { <-ctx.Done() }
			}
			p := pack(t, o, hang, &list{name: "b", items: []listed{{name: "y", text: "2"}}})
			if got := p.Manifest.Files[len(p.Manifest.Files)-1].Path; got != "b/y" {
				t.Errorf("last file %s", got)
			}
			if how == "between items" {
				return // all was handed over already
			}
			if m := p.Manifest.Missing; len(m) == 0 || m[0].State != Limited || !strings.Contains(m[0].Reason, "time was up") {
				t.Errorf("missing: %+v", m)
			}
		})
	}
}

// deaf ignores that it is closed.
type deaf struct{ end chan struct{} }

func (d *deaf) Read([]byte) (int, error) { <-d.end; return 0, io.EOF }
func (d *deaf) Close() error             { return nil }

func TestDeadlineOfTheRun(t *testing.T) {
	o := testOptions(t)
	o.Limits.Deadline = 30 * time.Millisecond
	slow := &list{name: "a", items: []listed{{name: "x", text: "1"}}, after: func(ctx context.Context) { <-ctx.Done() }}
	p := pack(t, o, slow, &list{name: "b", items: []listed{{name: "y", text: "2"}}})
	if len(p.Manifest.Files) != 1 || len(p.Manifest.Missing) != 2 && p.Manifest.Missing[0].Reason != errDeadline.Error() {
		t.Errorf("files %v, missing %+v", p.Manifest.Files, p.Manifest.Missing)
	}
}

func TestCancelledRunLeavesNothing(t *testing.T) {
	o := testOptions(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := &list{name: "a", items: []listed{{name: "x", text: "1"}}, after: func(context.Context) { cancel() }}
	if _, err := Collect(ctx, []Collector{c}, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	wantEmptySpool(t, o)
}

func TestTooLittleSpace(t *testing.T) {
	o := testOptions(t)
	o.Limits.Reserve = 1 << 60
	_, err := Collect(t.Context(), logsAndConfig(), o)
	var space *SpaceError
	if !errors.As(err, &space) || !strings.Contains(err.Error(), o.Spool) {
		t.Fatalf("got %v", err)
	}
	wantEmptySpool(t, o)
}

// J2: what a killed run has left is gone with the next start, and what a
// living one uses is not.
func TestSpoolOfADeadRunIsRemoved(t *testing.T) {
	o := testOptions(t)
	dead := filepath.Join(o.Spool, spoolPrefix+"dead")
	if err := os.MkdirAll(filepath.Join(dead, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			d, err := Collect(t.Context(), logsAndConfig(), func() Options { p := o; p.Engine = newEngine(); return p }())
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			if _, err := d.Pack(t.Context()); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	wantEmptySpool(t, o)
}

func TestSpoolIsPrivate(t *testing.T) {
	o := testOptions(t)
	d, err := Collect(t.Context(), logsAndConfig(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	err = filepath.Walk(o.Spool, func(p string, st os.FileInfo, err error) error {
		if err == nil && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", p, st.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWithhold(t *testing.T) {
	o := testOptions(t)
	d, err := Collect(t.Context(), logsAndConfig(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.Withhold(func(f File) bool { return f.Collector == "logs" })
	p, err := d.Pack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Manifest.Files) != 1 || p.Manifest.Files[0].Collector != "config" {
		t.Errorf("files: %+v", p.Manifest.Files)
	}
}

func TestNamesInTheBundle(t *testing.T) {
	o := testOptions(t)
	p := pack(t, o, &list{name: "c", items: []listed{
		{name: "/var/log/example.log", text: "1"}, {name: "var/log/example.log", text: "2"},
		{name: "with\nnewline", text: "3"}, {name: "a\\b", text: "4"}, {name: "caf\xe9", text: "5"},
		{name: "d/e", text: "6"}, {name: "d", text: "7"}, {name: "d/e/f", text: "8"},
	}})
	var got []string
	for _, f := range p.Manifest.Files {
		got = append(got, f.Path)
	}
	want := []string{"c/a_b", "c/caf_", "c/d/e", "c/d~2", "c/var/log/h-1.log", "c/var/log/h-1~2.log", "c/with_newline"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReasonsAreBrief(t *testing.T) {
	got := brief("open /etc/security/opasswd: refused by policy: the file /etc/security/opasswd is denied", "/etc/security/opasswd")
	if got != "open it: refused by policy: the file /etc/security/opasswd is denied" {
		t.Errorf("got %q", got)
	}
	if got := brief(strings.Repeat("é", 400), ""); len(got) > 310 || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("got %d bytes", len(got))
	}
}
