package localcfg

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// REQ K4
func TestParse(t *testing.T) {
	f, err := Parse("local.cfg", "\ufeff# comment\n\n"+
		`REMOTE_SUPPORT_ENABLE="yes"`+"\r\n"+
		`  export  A='single $x' # tail`+"\n"+
		`B = bare`+"\n"+
		`C="with \"quotes\" and \\ and \$ and \n"`+"\n"+
		"D=\nE=\"\"\nexport=1\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{"REMOTE_SUPPORT_ENABLE", "yes", 3}, {"A", "single $x", 4}, {"B", "bare", 5}, {"C", `with "quotes" and \ and $ and \n`, 6},
		{"D", "", 7}, {"E", "", 8}, {"export", "1", 9},
	}
	if d := cmp.Diff(want, f.Entries); d != "" {
		t.Error(d)
	}
}

func TestMistakesAreReportedAllAtOnce(t *testing.T) {
	_, err := Parse("local.cfg", strings.Join([]string{
		`A="open`, `A='open`, `B=$HOME`, "C=`id`", `D="$(id)"`, `E="a" b`, `just words`, `1A=2`, `G=a;b`, `H="1"`, ` H="2"`, "I=\x01", `=x`,
	}, "\n"))
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	want := `local.cfg:1,3: the quotation mark is not closed
local.cfg:2,3: the quotation mark is not closed
local.cfg:3,3: the file is read and not run: variables and commands are not replaced
local.cfg:4,3: the file is read and not run: variables and commands are not replaced
local.cfg:5,3: the file is read and not run: variables and commands are not replaced
local.cfg:6,7: something stands after the value
local.cfg:7,6: after the key there is no "="; a line is written KEY="value"
local.cfg:8,1: a line is written KEY="value"
local.cfg:9,3: a value with ";" belongs between quotation marks
local.cfg:11,2: H is given twice; first on line 10
local.cfg:12,1: the line has bytes that are no text
local.cfg:13,1: a line is written KEY="value"`
	if d := cmp.Diff(want, e.Error()); d != "" {
		t.Error(d)
	}
}

// REQ K4: an unknown value fails closed.
func TestLoadChecksKnownKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "local.cfg")
	if f, err := Load(path); err != nil || len(f.Entries) != 0 {
		t.Fatalf("no file: %v %v", f, err)
	}
	for _, c := range []struct{ text, want string }{
		{`REMOTE_SUPPORT_ENABLE="yes"`, ""},
		{`REMOTE_SUPPORT_ENABLE=Off`, ""},
		{`REMOTE_SUPPORT_ENABLE="maybe"`, `it is "yes" or "no"`},
		{`REMOTE_SUPPORT_ENABLE=`, `it is "yes" or "no"`},
		{`REMOTE_SUPPORT_ENABLED="yes"`, "not known; known are REMOTE_SUPPORT_ENABLE,"},
		{`remote_support_enable="yes"`, "not known"},
		{`XVP_DB_PASSWORD="of another product"`, ""},
		{`REMOTE_SUPPORT_RSS="rss.example.com"`, ""},
		{`REMOTE_SUPPORT_RSS="[2001:db8::1]:443"`, ""},
		{`REMOTE_SUPPORT_RSS="https://rss.example.com/"`, "written like"},
		{`REMOTE_SUPPORT_PROXY="socks5://p:1080"`, ""},
		{`REMOTE_SUPPORT_PROXY="https://u:p@p:1080"`, "without user"},
		{`REMOTE_SUPPORT_PROXY="ftp://p"`, "written like"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
	for _, k := range Keys() {
		if err := os.WriteFile(path, []byte(k.Example), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); err != nil {
			t.Errorf("the example of %s: %v", k.Name, err)
		}
	}
}

// What the parser accepts means the same to a shell.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"A=\"b\"", "export A='b' # c", "A=b\nA=c", "A=\"\\\"\"", "A=$x", "\ufeffA=1\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		file, err := Parse("x", s)
		if err != nil {
			return
		}
		for _, e := range file.Entries {
			if e.Key == "" || e.Line < 1 || strings.ContainsAny(e.Value, "\n\x00") {
				t.Errorf("%q: %+v", s, e)
			}
			again, err := Parse("x", e.Key+"='"+e.Value+"'")
			if !strings.Contains(e.Value, "'") && (err != nil || again.Entries[0].Value != e.Value) {
				t.Errorf("%q: %v %v", s, again, err)
			}
		}
	})
}

func TestSameAsShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	for _, line := range []string{`A="b c"`, `export A='b $x'`, `A=b # c`, `A="\"\\\$ \n"`, `A=`, `A="a'b"`} {
		f, err := Parse("x", line)
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(sh, "-c", line+"\nprintf %s \"$A\"").Output()
		if err != nil || string(out) != f.Entries[0].Value {
			t.Errorf("%s: shell %q %v, parser %q", line, out, err, f.Entries[0].Value)
		}
	}
}
