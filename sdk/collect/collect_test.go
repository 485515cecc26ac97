package collect

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "a/b.txt": true, "wörter/ü": true, ".hidden": true, "a b": true, "..a": true,
		"": false, "/a": false, "../a": false, "..": false, ".": false, "a/../b": false, "a//b": false, "a/": false, "./a": false,
		"a\\b": false, "a\nb": false, "a\x00": false, "a\x1b[2J": false, "\xff": false, "a\u202eb": false,
		strings.Repeat("a", 513): false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("CheckName(%q): %v", name, err)
		}
	}
}

func FuzzNameOf(f *testing.F) {
	f.Add("/etc/fstab")
	f.Add("../../etc/passwd")
	f.Add("\x00\xff/" + strings.Repeat("ä", 1000))
	f.Fuzz(func(t *testing.T, source string) {
		if name := NameOf(source); CheckName(name) != nil {
			t.Errorf("NameOf(%q) = %q: %v", source, name, CheckName(name))
		}
	})
}

func TestNameOf(t *testing.T) {
	for source, want := range map[string]string{"/etc/fstab": "etc/fstab", "/": "root", "a\nb": "a_b", "/x/../../y": "y"} {
		if got := NameOf(source); got != want {
			t.Errorf("NameOf(%q) = %q, want %q", source, got, want)
		}
	}
}

func TestStreamEndsOnce(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ends := 0
	s := NewStream(w, func(truncated string, err error) error {
		ends++
		if truncated != "enough" || err != io.ErrUnexpectedEOF {
			t.Errorf("ended with %q, %v", truncated, err)
		}
		return errors.New("host gone")
	})
	s.WriteString("x")
	s.Truncate("enough")
	if err := s.CloseWithError(io.ErrUnexpectedEOF); err == nil || ends != 1 {
		t.Errorf("first close: %v, %d ends", err, ends)
	}
	if err := s.Close(); err == nil || ends != 1 {
		t.Errorf("second close: %v, %d ends", err, ends)
	}
	if _, err := s.Write([]byte("y")); err == nil {
		t.Error("a closed stream takes bytes")
	}
}

func TestExitError(t *testing.T) {
	e := &ExitError{Argv: []string{"ip", "-j"}, Exit: Exit{Code: 2, Stderr: "usage\nbad flag\n"}}
	if got := e.Error(); got != "ip -j: exit code 2: bad flag" {
		t.Error(got)
	}
	e.Exit = Exit{TimedOut: true}
	if got := e.Error(); got != "ip -j: stopped, its time was over" {
		t.Error(got)
	}
}
