package accuracy

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchstring/latchstring/core/sanitize"
)

func TestSurvives(t *testing.T) {
	for _, c := range []struct{ out, secret, want string }{
		{"password=hunter2", "hunter2", "hunter2"},
		{"password=REDACTED", "hunter2", ""},
		{"a device", "dev", ""},
		{"on /dev/null", "dev", "dev"},
		{"x=abcdefghij", "abcdefghijklmnop", "abcdefghij"}, // 10 of 16
		{"x=abcdefghi", "abcdefghijklmnop", ""},            // 9 of 16 is less than 60 %
		{"x=abcdefg", "abcdefgh", ""},                      // 7 is less than 8
		{"x=" + strings.Repeat("ab", 300), strings.Repeat("ab", 400), strings.Repeat("ab", 300)},
	} {
		got := survives(c.out, c.secret)
		if len(c.secret) > 512 {
			if len(got) < 480 {
				t.Errorf("survives(long) = %d bytes, want at least 480", len(got))
			}
			continue
		}
		if got != c.want {
			t.Errorf("survives(%q, %q) = %q, want %q", c.out, c.secret, got, c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	c := &Case{
		MustHide:   []string{"s3cr3t-value"},
		MustKeep:   []string{"user=app"},
		MustPseudo: []string{"10.1.2.3"},
	}
	good := Outputs{On: "user=app pw=REDACTED from 10.9.8.7", Off: "user=app pw=REDACTED from 10.1.2.3"}
	if fs := Judge(c, good); len(fs) > 0 {
		t.Errorf("good output judged bad: %v", fs)
	}
	bad := Outputs{On: "pw=s3cr3t-value from 10.1.2.3", Off: "pw=s3cr3t-va from x"}
	var kinds []Kind
	for _, f := range Judge(c, bad) {
		kinds = append(kinds, f.Kind)
	}
	if diff := cmp.Diff([]Kind{Leak, Lost, Identifier, Overzeal}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

// fake hides the word secret-value and nothing else.
type fake struct{ sanitize.Engine }

func (fake) Copy(_ context.Context, dst io.Writer, src io.Reader, _ sanitize.File) (sanitize.Result, error) {
	b, err := io.ReadAll(src)
	if err != nil {
		return sanitize.Result{}, err
	}
	_, err = io.WriteString(dst, strings.ReplaceAll(string(b), "secret-value", "REDACTED"))
	return sanitize.Result{}, err
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	lines := `{"id":"a","input":"k=secret-value x","must_hide":["secret-value"],"must_keep":["x"]}

{"input":"k=other-secret","must_hide":["other-secret"],"hints":{"host":"web","users":["u"]}}
`
	if err := os.WriteFile(filepath.Join(dir, "one.jsonl"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	cases, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Hints{Hosts: []string{"web"}, Users: []string{"u"}}, cases[1].Hints); diff != "" {
		t.Errorf("hints (-want +got):\n%s", diff)
	}
	r := Runner{New: func(sanitize.Options) (sanitize.Engine, error) { return fake{}, nil }}
	outs, err := r.Run(context.Background(), cases)
	if err != nil {
		t.Fatal(err)
	}
	rows, total := Summary(outs)
	if got := total.Hidden; got != (Count{1, 2}) {
		t.Errorf("hidden %v, want 1/2", got)
	}
	if len(rows) != 1 || rows[0].Source != "one" || rows[0].Kept != (Count{1, 1}) {
		t.Errorf("rows %+v", rows)
	}
	var b strings.Builder
	List(&b, outs, true)
	if !strings.Contains(b.String(), `leak       "other-secret"`) {
		t.Errorf("listing lacks the leak:\n%s", b.String())
	}
}

func TestLoadSaysWhere(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("empty directory: %v", err)
	}
	p := filepath.Join(dir, "x.jsonl")
	if err := os.WriteFile(p, []byte("{}\n{oops\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "x.jsonl:2") {
		t.Errorf("bad line: %v", err)
	}
}

func TestMarked(t *testing.T) {
	dir := t.TempDir()
	text := "comment\n== one etc/app.conf\npassword=⟦s3cret⟧\nuser=⟨app⟩ on ‹web-1›\n\n== two\nplain\n"
	if err := os.WriteFile(filepath.Join(dir, "own.txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []Case{
		{ID: "one", Set: "own", Source: "own", File: "etc/app.conf", Input: "password=s3cret\nuser=app on web-1\n",
			MustHide: []string{"s3cret"}, MustKeep: []string{"app"}, MustPseudo: []string{"web-1"}},
		{ID: "two", Set: "own", Source: "own", Input: "plain\n"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"== x\na ⟦b\n", "== x\na b⟧\n", "== x\n⟦⟧\n"} {
		if err := os.WriteFile(filepath.Join(dir, "own.txt"), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "own.txt:1") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
