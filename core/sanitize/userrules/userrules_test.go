package userrules

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const head = "apiVersion: troubleshoot.sh/v1beta2\nkind: Redactor\nmetadata:\n  name: acme\nspec:\n  redactors:\n"

// hide applies the rules for a file to text, in blocks of whole lines.
func hide(t testing.TB, s *Set, file, text string) string {
	t.Helper()
	f := s.For(file)
	if !f.Scans() {
		return text
	}
	out := []byte(text)
	sc := f.Scanner()
	at := 0
	for block := range bytes.Lines([]byte(text)) {
		for _, sp := range sc.Append(nil, block) {
			if sp.Start < 0 || sp.End > len(block) || sp.Start >= sp.End {
				t.Fatalf("span %+v in a block of %d", sp, len(block))
			}
			for i := sp.Start; i < sp.End; i++ {
				out[at+i] = '#'
			}
		}
		at += len(block)
	}
	// The same in one block.
	whole := []byte(text)
	for _, sp := range f.Scanner().Append(nil, []byte(text)) {
		for i := sp.Start; i < sp.End; i++ {
			whole[i] = '#'
		}
	}
	if !bytes.Equal(out, whole) {
		t.Fatalf("by lines %q, at once %q", out, whole)
	}
	return string(out)
}

func parse(t testing.TB, body string) *Set {
	t.Helper()
	var s Set
	if err := s.Parse("rules.yaml", []byte(head+body)); err != nil {
		t.Fatal(err)
	}
	return &s
}

func TestRules(t *testing.T) {
	s := parse(t, `
  - name: project names
    removals:
      values: ["Project Zephyr", abc]
      regex:
      - redactor: '(ticket=)(?P<mask>ACME-\d+)( by )(?P<drop>\w+)'
      - redactor: 'SSN \d{3}-\d{2}-\d{4}'
      - redactor: '(?i)(badge)\s+(?P<mask>\d+)'
      - redactor: '^(?P<mask>[a-f]+)\+$'
  - name: logs only
    fileSelector: {files: ["var/log/**", '*.out']}
    removals:
      regex:
      - selector: 'BEGIN CUSTOMER'
        redactor: '(?P<mask>.+)'
      - selector: '^\d+$'
        redactor: '(?P<mask>z+)'
`)
	text := "Project Zephyr is abc, project zephyr is not\nticket=ACME-123 by jdoe now\nSSN 123-45-6789.\n" +
		"BADGE  77 badge 88\nabcdef+\nxabcdef+\n-- BEGIN CUSTOMER --\nJohn Doe\nvisible\n12\nzz az\nzz\n"
	want := "############## is ###, project zephyr is not\nticket=######## by #### now\n###############.\n" +
		"BADGE  ## badge ##\n######+\nx###def+\n-- BEGIN CUSTOMER --\n########\nvisible\n12\n## a#\nzz\n"
	if d := cmp.Diff(want, hide(t, s, "/var/log/app/x.log", text)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	other := hide(t, s, "etc/x.conf", text)
	if !strings.Contains(other, "John Doe\n") || !strings.Contains(other, "ticket=######## by ####") {
		t.Errorf("file selector: %q", other)
	}
	if hide(t, s, "deep/in/x.out", "BEGIN CUSTOMER\nJohn\n") != "BEGIN CUSTOMER\n####\n" {
		t.Error("a pattern without a slash matches the last element")
	}
	if d := cmp.Diff([]string{"project names", "logs only"}, s.Slow()); d != "" {
		t.Errorf("slow: %s", d)
	}
	if name := s.For("x").Name(0); name != "project names" {
		t.Errorf("name %q", name)
	}
}

func TestOwnKeys(t *testing.T) {
	s := parse(t, "  - removals:\n      keys: [tenant_ref]\n      hosts: [vault7]\n      domains: [acme.example]\n      users: [jdoe]\n"+
		"      regex:\n      - redactor: '\\d{4}-\\d{4}'\n        anchors: [Contract]\n      - 'id-(?P<mask>\\d+)'\n")
	if d := cmp.Diff([]string{"tenant_ref"}, s.For("any").Keys()); d != "" {
		t.Error(d)
	}
	if s.Hosts[0] != "vault7" || s.Domains[0] != "acme.example" || s.Users[0] != "jdoe" {
		t.Errorf("names: %v %v %v", s.Hosts, s.Domains, s.Users)
	}
	if got := hide(t, s, "x", "1111-2222\nthe CONTRACT 1111-2222 id-7\n"); got != "1111-2222\nthe CONTRACT ######### id-#\n" {
		t.Errorf("%q", got)
	}
	var none *Set
	if none.For("x").Scans() || none.For("x").Keys() != nil || !none.For("x").Paths().Empty() {
		t.Error("no rules must mean nothing")
	}
}

func TestProgrammatic(t *testing.T) {
	var s Set
	for _, err := range []error{
		s.AddValue("v", "Zephyr"), s.AddKey("k", "tenant"), s.AddRegexp("r", `case (\d+)`, nil), s.AddRegexp("m", `no\. (?P<mask>\d)(\d)`, []string{"no. "}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := hide(t, &s, "f", "Zephyr case 12 no. 34\n"); got != "###### case ## no. #4\n" {
		t.Errorf("%q", got)
	}
	for _, err := range []error{s.AddValue("v", "ab"), s.AddKey("k", " "), s.AddRegexp("r", `(`, nil), s.AddRegexp("r", ``, nil), s.AddRegexp("r", `x`, []string{"ab"}), s.AddRegexp("r", strings.Repeat("x", maxExpression+1), nil)} {
		if err == nil {
			t.Error("no error")
		}
	}
}

// Every mistake, with its place.
func TestMistakes(t *testing.T) {
	cases := []struct{ name, in, want string }{
		{"empty", "", "f.yaml: no Redactor in it"},
		{"not yaml", "a: [", "f.yaml:1:1: not YAML: did not find expected node content"},
		{"other kind", "apiVersion: v1\nkind: Secret\nspec: {}\n", "f.yaml:1:13: apiVersion \"v1\" is not known; use troubleshoot.sh/v1beta2\nf.yaml:2:7: kind is \"Secret\", not Redactor"},
		{"list", "- a\n", "f.yaml:1:1: a Redactor must be a mapping of apiVersion, kind, metadata, spec\nf.yaml:1:1: a Redactor needs apiVersion, kind and spec"},
		{"typo", head + "  - removal:\n      values: [abcd]\n", `f.yaml:7:5: unknown key "removal" in a redactor; known are fileSelector, name, removals` + "\nf.yaml:7:5: a redactor without removals hides nothing"},
		{"bad regex", head + "  - removals:\n      regex:\n      - redactor: '(?P<mask>'\n", "f.yaml:9:19: not an RE2 expression: missing closing ): `(?P<mask>`"},
		{"lookahead", head + "  - removals:\n      regex:\n      - redactor: '(?=x)y'\n", "f.yaml:9:19: not an RE2 expression: invalid or unsupported Perl syntax: `(?=`"},
		{"no redactor", head + "  - removals:\n      regex:\n      - selector: x\n", "f.yaml:9:9: a regex needs a redactor"},
		{"short value", head + "  - removals:\n      values: [a]\n", `f.yaml:8:16: "a" is too short: it would be hidden inside of other words; 3 bytes are needed`},
		{"scalar list", head + "  - removals:\n      values: abcd\n", "f.yaml:8:15: values must be a list"},
		{"null item", head + "  - removals:\n      values:\n      - \n", "f.yaml:9:8: an item of values must be a text"},
		{"twice", head + "  - name: a\n    name: b\n    removals: {values: [abcd]}\n", `f.yaml:8:5: "name" a second time in a redactor`},
		{"glob", head + "  - fileSelector: {file: 'a[b'}\n    removals: {values: [abcd]}\n", `f.yaml:7:26: file pattern "a[b": [ without ]`},
		{"uri", "apiVersion: troubleshoot.sh/v1beta2\nkind: Redactor\nspec:\n  uri: https://x\n", "f.yaml:4:3: rules are not fetched from elsewhere; put them into the file"},
		{"path", head + "  - removals:\n      yamlPath: [a..b]\n", "f.yaml:8:18: a path has no empty steps; write a.b.*.c"},
		{"hosts in some files", head + "  - fileSelector: {file: x}\n    removals: {hosts: [vault7]}\n", "f.yaml:8:16: hosts are the same in all files; a fileSelector does not go with them"},
		{"short anchor", head + "  - removals:\n      regex:\n      - {redactor: '\\d', anchors: [ab]}\n", `f.yaml:9:20: anchor "ab" is too short: 3 bytes are needed`},
	}
	for _, c := range cases {
		var s Set
		err := s.Parse("f.yaml", []byte(c.in))
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		if d := cmp.Diff(c.want, err.Error()); d != "" {
			t.Errorf("%s: -want +got\n%s", c.name, d)
		}
		var list Errors
		if !errors.As(err, &list) || list.ExitCode() != 2 || s.Len() != 0 {
			t.Errorf("%s: %T, %d rules", c.name, err, s.Len())
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.yaml")
	if err := os.WriteFile(path, []byte("---\n"+head+"  - removals: {values: [Zephyr]}\n---\n---\n"+head+"  - removals: {values: [Boreas]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var s Set
	if err := s.Load(path); err != nil || s.Len() != 2 {
		t.Fatalf("%v, %d rules", err, s.Len())
	}
	if err := s.Load(path + "x"); err == nil {
		t.Error("no error for a file that is not there")
	}
	os.WriteFile(path, bytes.Repeat([]byte("#"), maxFile+2), 0o600)
	if err := s.Load(path); err == nil {
		t.Error("no error for a huge file")
	}
}

func TestAliasBomb(t *testing.T) {
	in := "a: &a [x]\n"
	for i := 'b'; i < 'k'; i++ {
		in += fmt.Sprintf("%c: &%c [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", i-1), 9), ","))
	}
	var s Set
	if s.Parse("f", []byte(in)) == nil {
		t.Error("no error")
	}
	loop := head + "  - removals: &r\n      values: [abcd]\n      regex: [*r]\n"
	if s.Parse("f", []byte(loop)) == nil {
		t.Error("no error for a loop")
	}
}

func TestDeriveAnchors(t *testing.T) {
	cases := []struct {
		expr string
		want []string
	}{
		{`(ticket=)(?P<mask>ACME-\d+)`, []string{"ticket="}},
		{`\d{3}-\d{2}-\d{4}`, nil},
		{`(?i)password\s*=`, []string{"word"}}, // s folds to a letter outside ASCII
		{`(?i)pwd *= *(?P<mask>[^;]+)`, []string{"pwd"}},
		{`token_[0-9a-f]+|apikey-\w+`, []string{"token_", "apikey-"}},
		{`token_[0-9]+|\w+`, nil},
		{`(abcd)?x`, nil},
		{`(abcd)+x`, []string{"abcd"}},
		{`(abcd){2,}`, []string{"abcd"}},
		{`[Pp]assword`, []string{"password"}},
		{`.*`, nil},
		{`^foo$`, []string{"foo"}},
		{`(?i)"name": *"[^"]*SECRET_?ACCESS_?KEY`, []string{`"name":`}},
		{`(?i)straße`, nil},
	}
	for _, c := range cases {
		got := deriveAnchors(c.expr)
		if len(c.want) == 0 && len(got) == 0 {
			continue
		}
		slices.Sort(got)
		slices.Sort(c.want)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: -want +got\n%s", c.expr, d)
		}
	}
}

// The anchors never lose a match: with and without them the result is equal.
func FuzzAnchors(f *testing.F) {
	f.Add(`(ticket=)(?P<mask>ACME-\d+)`, "a ticket=ACME-12\nTICKET=acme-3\n")
	f.Add(`(?i)pass(word)?[:=]\s*(\S+)`, "PASS: x\npaſſword=\n")
	f.Add(`(?i:k)ey-(a|b)c?`, "\u212aey-a KEY-bc")
	f.Fuzz(func(t *testing.T, expr, body string) {
		re, err := regexp.Compile(expr)
		if err != nil || len(expr) > 100 || len(body) > 4000 {
			return
		}
		anchors := deriveAnchors(expr)
		for line := range strings.Lines(body) {
			line = strings.TrimRight(line, "\n")
			for _, m := range re.FindAllString(line, -1) {
				if len(anchors) > 0 && !slices.ContainsFunc(anchors, func(a string) bool { return strings.Contains(lowerASCII(m), a) }) {
					t.Fatalf("%q matches %q without %q", expr, m, anchors)
				}
			}
		}
		var s Set
		if s.AddRegexp("r", expr, nil) != nil {
			return
		}
		hide(t, &s, "x", body)
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + "  - name: a\n    fileSelector: {files: ['{a,b}/**']}\n    removals:\n      values: [abcd]\n      yamlPath: [a.*.0]\n      regex: [{redactor: abc, selector: d}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Set
		if err := s.Parse("f", data); err != nil {
			var list Errors
			if !errors.As(err, &list) || s.Len() != 0 {
				t.Fatalf("%T, %d rules", err, s.Len())
			}
			return
		}
		hide(t, &s, "a/b", "abcd\nabc\nx")
	})
}

func TestGlob(t *testing.T) {
	cases := []struct {
		glob     string
		yes, not []string
	}{
		{"*.conf", []string{"a.conf", "etc/a.conf"}, []string{"a.confx", "etc/conf"}},
		{"etc/*", []string{"etc/a"}, []string{"etc/a/b", "x/etc/a"}},
		{"etc/**", []string{"etc/a", "etc/a/b"}, []string{"etc"}},
		{"**/secret.json", []string{"secret.json", "a/b/secret.json"}, []string{"a/xsecret.json"}},
		{"a?c", []string{"abc", "x/abc"}, []string{"a/c", "ac"}},
		{"[a-c]x", []string{"ax", "bx"}, []string{"dx"}},
		{"[!a-c]x", []string{"dx"}, []string{"ax", "/x"}},
		{"{a,b}.log", []string{"a.log", "b.log"}, []string{"c.log"}},
		{`a\*b`, []string{"a*b"}, []string{"axb"}},
		{"a.b+c", []string{"a.b+c"}, []string{"axb+c", "a.bbc"}},
	}
	for _, c := range cases {
		re, err := compileGlob(c.glob)
		if err != nil {
			t.Errorf("%s: %v", c.glob, err)
			continue
		}
		for _, f := range c.yes {
			if !re.MatchString(f) {
				t.Errorf("%s does not match %s", c.glob, f)
			}
		}
		for _, f := range c.not {
			if re.MatchString(f) {
				t.Errorf("%s matches %s", c.glob, f)
			}
		}
	}
	for _, bad := range []string{"", "[", "a[]", "{a", "a}", `a\`, "[!]", "[z-a]"} {
		if _, err := compileGlob(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestPaths(t *testing.T) {
	s := parse(t, "  - removals:\n      yamlPath: [customers.*.name, a.1.b, top, 'x\\.y.z', '*.all']\n")
	p := s.For("f.yaml").Paths()
	walk := func(steps ...any) Place {
		at := p.Root()
		for _, st := range steps {
			switch v := st.(type) {
			case string:
				at = p.Key(at, []byte(v))
			case int:
				at = p.Index(at, v)
			}
		}
		return at
	}
	for _, c := range []struct {
		steps        []any
		hidden, dead bool
	}{
		{nil, false, false},
		{[]any{"customers"}, false, false},
		{[]any{"customers", 3, "name"}, true, false},
		{[]any{"customers", "x", "name", "deep", 1}, true, false},
		{[]any{"customers", 3, "id"}, false, true},
		{[]any{"a", 1, "b"}, true, false},
		{[]any{"a", 0, "b"}, false, true},
		{[]any{"a", "1", "b"}, true, false},
		{[]any{"top"}, true, false},
		{[]any{"x.y", "z"}, true, false},
		{[]any{"x", "y", "z"}, false, true},
		{[]any{"anything", "all"}, true, false},
	} {
		at := walk(c.steps...)
		if at.Hidden() != c.hidden || at.Dead() != c.dead {
			t.Errorf("%v: hidden %v, dead %v", c.steps, at.Hidden(), at.Dead())
		}
	}
	var many Paths
	var err error
	for i := 0; i < 300 && err == nil; i++ {
		err = many.add(fmt.Sprintf("k%d", i))
	}
	if err == nil {
		t.Error("no bound on paths")
	}
}

func TestLongLine(t *testing.T) {
	var s Set
	if err := s.AddRegexp("r", `badge-(\d+)`, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.AddRegexp("slow", `\b([xy]{9})\b`, nil); err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("a ", 30000) + "badge-123456 " + strings.Repeat("b ", 9000) + "xyxyxyxyx badge-7" + strings.Repeat(" c", 20000)
	got := hide(t, &s, "f", line)
	if !strings.Contains(got, "badge-###### ") || !strings.Contains(got, " ######### badge-# ") {
		t.Error("not found on a long line")
	}
}

func BenchmarkScanner(b *testing.B) {
	var text bytes.Buffer
	for i := range 40000 {
		fmt.Fprintf(&text, "2024-03-04 12:00:%02d INFO [worker-%d] org.example.Service: request %x took %d ms\n", i%60, i%32, i*7919, i%5000)
	}
	var s Set
	for i := range 100 {
		s.AddValue("v", fmt.Sprintf("Customer-%d", i*37))
	}
	s.AddRegexp("r", `ticket=(ACME-\d+)`, nil)
	run := func(name string, s *Set) {
		b.Run(name, func(b *testing.B) {
			f := s.For("x")
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				f.Scanner().Append(nil, text.Bytes())
			}
		})
	}
	run("anchored", &s)
	s.AddRegexp("r", `\b\d{3}-\d{2}-\d{4}\b`, nil)
	run("slow", &s)
}
