package cases

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func dir(t *testing.T, files map[string]string) string {
	t.Helper()
	d := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(d, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

const site = `
session { max_duration = "8h" }
engineer {
  upload   = false
  download = false
}
bundles {
  redact "heron" { literal = "Heron" }
}
`

func TestRun(t *testing.T) {
	d := dir(t, map[string]string{"site.hcl": site, "a.txtar": `comment
-- cases --
given engineer=eve path=/x
deny access.upload          # a comment
  by engineer.upload
  at site.hcl:4
show session.max_duration 8h
hide "Project Heron"
keep "Project Crane"
`})
	r, err := Run(d)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() || r.Ran != 4 || r.Rules != 4 || r.Covered != 3 || len(r.Missed) != 1 || r.Missed[0].Key != "engineer.download" {
		t.Errorf("%+v", r)
	}
}

func TestFailuresSayWhatIs(t *testing.T) {
	d := dir(t, map[string]string{"site.hcl": site, "a.txtar": `-- cases --
allow access.upload engineer=eve path=/x
deny access.fowl
`})
	if _, err := Run(d); err == nil || !strings.Contains(err.Error(), "a.txtar:3: deny is followed by an action") {
		t.Errorf("%v", err)
	}
	d = dir(t, map[string]string{"site.hcl": site, "a.txtar": `-- cases --
allow access.upload engineer=eve path=/x
deny access.download engineer=eve path=/x
  by engineer.upload
  at site.hcl:1
  because "no such word"
  limit duration 1h
  until 2026-01-01T00:00:00Z
  needs recording
  nonsense
show session.max_duration 9h
show session.nonsense 9h
keep Heron
hide Crane
invalid anything
`})
	r, err := Run(d)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Failures {
		got = append(got, strings.ReplaceAll(strings.SplitN(f.String(), "\n", 3)[1], d, "DIR"))
	}
	want := []string{
		"\taccess.upload: refused: engineers may not upload files",
		"\tDIR/a.txtar:4: decided by engineer.download = false at DIR/site.hcl:5,3",
		"\tDIR/a.txtar:5: decided by engineer.download = false at DIR/site.hcl:5,3",
		"\tDIR/a.txtar:6: the reason is: engineers may not download files",
		"\tDIR/a.txtar:7: the longest is 0s",
		"\tDIR/a.txtar:8: until 0001-01-01T00:00:00Z",
		"\tDIR/a.txtar:9: no recording is needed",
		"\tDIR/a.txtar:10: \"nonsense\" is not known here; known are by, at, because, until, limit, needs",
		"\tsession.max_duration is \"8h\"",
		"\tthe key \"session.nonsense\" is not known",
		"\ta redaction of the policy takes hold of it",
		"\tno redaction of the policy takes hold of it",
		"\tthe policy loads",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPoliciesInTheArchive(t *testing.T) {
	d := dir(t, map[string]string{"site.hcl": site, "a.txtar": `-- x.hcl --
sesion {}
-- cases --
invalid "did you mean \"session\"?"
`, "b.txtar": `-- x.hcl --
session { mfa = true }
-- y.hcl --
remote_access = "locked_on"
-- cases --
deny session.close user=root
  at y.hcl:1
show session.mfa true
`})
	r, err := Run(d)
	if err != nil || !r.OK() || r.Ran != 3 {
		t.Errorf("%v %+v", err, r)
	}
}

func TestWhatCannotBeRun(t *testing.T) {
	for _, c := range []struct{ archive, want string }{
		{"-- cases --\n", "there is no case"},
		{"-- cases --\nperhaps session.open\n", "is no case"},
		{"-- cases --\n  by x\n", "no case to which this belongs"},
		{"-- cases --\ngiven user\n", "no fact"},
		{"-- cases --\nallow session.open colour=red\n", `fact "colour" is not known`},
		{"-- cases --\nallow session.open user=\"ada\n", "not closed"},
		{"-- notes.txt --\nx\n-- cases --\nshow a b\n", "neither a policy nor cases"},
	} {
		_, err := Run(dir(t, map[string]string{"a.txtar": c.archive}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.archive, err, c.want)
		}
	}
	if _, err := Run(t.TempDir()); err == nil || !strings.Contains(err.Error(), ".txtar") {
		t.Error(err)
	}
}

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		`a b=c`:             {"a", "b=c"},
		`a b="c d" e`:       {"a", "b=c d", "e"},
		"\ta \"x\\\"y\" #z": {"a", `x"y`},
		`# all`:             nil,
		``:                  nil,
	} {
		got, err := split(line)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: %s", line, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("given user=ada\nallow session.open duration=4h\n  by x\nshow a b\n")
	f.Fuzz(func(_ *testing.T, s string) { _, _ = parse("x", 1, s) })
}
