package msg

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var all = []Message{
	&Hello{V: 1, Session: "ses-0123abcd", Since: time.Unix(1e9, 0).UTC(), Expires: time.Unix(2e9, 0).UTC(), Name: "box-7 Zürich", Case: "C-1"},
	&Welcome{V: 1, Node: "rss-1"},
	&Ping{N: 1<<64 - 1},
	&Pong{},
	&Bye{Reason: "expired"},
	&Dial{Ticket: "abcdefgh_-ABCDEFGH", Connection: "con-0123abcd"},
	&Replaced{},
	&Drain{RetryAfter: 30},
	&Refuse{Code: "busy", Message: "too many sessions"},
	&Start{Connection: "con-0123abcd", Engineer: "ann", From: "192.0.2.1", Node: "rss-1"},
	&Start{Connection: "con-0123abcd", System: "sys-x", Session: "ses-0123abcd", Since: time.Unix(1e9, 0).UTC()},
}

func TestRoundTrip(t *testing.T) {
	var b []byte
	for _, m := range all {
		var err error
		if b, err = Append(b, m); err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(b), "bytes": iotest.OneByteReader(bytes.NewReader(b))} {
		in := NewReader(r)
		for _, want := range all {
			got, err := in.Next()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		if _, err := in.Next(); err != io.EOF {
			t.Errorf("%s: at the end: %v", name, err)
		}
	}
	if !strings.HasPrefix(string(b), `{"type":"hello","v":1,"session":"ses-0123abcd",`) || !strings.Contains(string(b), "\n{\"type\":\"replaced\"}\n") {
		t.Errorf("wire form:\n%s", b)
	}
}

// The bytes behind a line belong to somebody else.
func TestReadsNoFurther(t *testing.T) {
	b, err := Append(nil, &Start{Connection: "con-0123abcd"})
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(append(b, "\x00\x01handshake"...))
	if _, err := NewReader(r).Next(); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(r); string(rest) != "\x00\x01handshake" {
		t.Errorf("behind the line: %q", rest)
	}
}

func TestBadLines(t *testing.T) {
	tests := []struct{ name, line, want string }{
		{"empty", ``, "begins with"},
		{"no object", `ping`, "begins with"},
		{"type not first", `{"n":1,"type":"ping"}`, "begins with"},
		{"space", `{ "type":"ping","n":1}`, "begins with"},
		{"unknown type", `{"type":"exec","n":1}`, "unknown type"},
		{"no end of type", `{"type":"` + strings.Repeat("p", 100), "begins with"},
		{"nothing behind the type", `{"type":"replaced"`, "goes on with"},
		{"second type", `{"type":"ping","type":"pong","n":1}`, "unknown field"},
		{"unknown member", `{"type":"ping","n":1,"x":1}`, "unknown field"},
		{"other kind of value", `{"type":"ping","n":"1"}`, "cannot unmarshal"},
		{"negative", `{"type":"ping","n":-1}`, "cannot unmarshal"},
		{"two objects", `{"type":"ping","n":1}{"type":"ping","n":1}`, "something follows"},
		{"cut", `{"type":"ping","n":`, "unexpected EOF"},
		{"empty member", `{"type":"replaced",}`, "goes on with"},
		{"version 0", `{"type":"welcome","v":0}`, "version 0"},
		{"session", `{"type":"hello","v":1,"session":"../../etc"}`, "form"},
		{"connection", `{"type":"dial","ticket":"abcdefgh","connection":"con-0123abcd/"}`, "form"},
		{"connection with newline", `{"type":"dial","ticket":"abcdefgh","connection":"con-0123abcd\n"}`, "form"},
		{"ticket", `{"type":"dial","ticket":"a&b=cdefgh","connection":"con-0123abcd"}`, "form"},
		{"escape sequence", `{"type":"start","connection":"con-0123abcd","engineer":"\u001b[2Jann"}`, "cannot be shown"},
		{"turned writing", `{"type":"start","connection":"con-0123abcd","engineer":"ann\u202e"}`, "cannot be shown"},
		{"long text", `{"type":"bye","reason":"` + strings.Repeat("x", maxText+1) + `"}`, "more than"},
		{"long drain", `{"type":"drain","retry_after":100000000}`, "not within"},
		{"code", `{"type":"refuse","code":"No Way","message":""}`, "form"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := NewReader(strings.NewReader(tt.line + "\n")).Next()
			if !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%+v, %v; want an error with %q", m, err, tt.want)
			}
		})
	}
}

func TestLongLineEndsEarly(t *testing.T) {
	r := strings.NewReader(`{"type":"bye","reason":"` + strings.Repeat("x", 10*MaxLine))
	if _, err := NewReader(r).Next(); !errors.Is(err, ErrSyntax) {
		t.Errorf("error %v", err)
	}
	if read := int(r.Size()) - r.Len(); read > MaxLine {
		t.Errorf("%d bytes were read", read)
	}
	if _, err := NewReader(strings.NewReader(`{"type"`)).Next(); err != io.ErrUnexpectedEOF {
		t.Errorf("cut line: %v", err)
	}
}

func TestNothingBadIsSent(t *testing.T) {
	for _, m := range []Message{&Hello{V: 1}, &Dial{}, &Start{}, &Bye{Reason: "a\nb"}, &Drain{RetryAfter: -1}} {
		var b bytes.Buffer
		if err := Write(&b, m); err == nil || b.Len() > 0 {
			t.Errorf("Write(%+v) = %v, sent %q", m, err, b.String())
		}
	}
}

// An idle reader holds no memory for lines.
func TestIdleReaderIsSmall(t *testing.T) {
	line := []byte(`{"type":"ping","n":1}` + "\n")
	in := bytes.NewReader(nil)
	r := NewReader(in)
	if n := testing.AllocsPerRun(100, func() {
		in.Reset(line)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}); n > 20 {
		t.Errorf("%v allocations a message", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range all {
		b, err := Append(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSuffix(b, []byte("\n")))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := Parse(line)
		if err != nil {
			if m != nil || !errors.Is(err, ErrSyntax) {
				t.Fatalf("%+v, %v", m, err)
			}
			return
		}
		again, err := Append(nil, m)
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", line, err)
		}
		m2, err := NewReader(bytes.NewReader(again)).Next()
		if err != nil || !cmp.Equal(m, m2) {
			t.Errorf("%q reads as %+v, and again as %+v, %v", line, m, m2, err)
		}
	})
}
