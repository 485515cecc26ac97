package accuracy_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/latchstring/latchstring/core/sanitize"
	"github.com/latchstring/latchstring/core/sanitize/accuracy"
)

// Every own case comes out the same when it is read byte by byte, is not changed
// by a second time, and passes the gate.
func TestOwnCasesAreStable(t *testing.T) {
	cases, err := accuracy.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		s, err := sanitize.New(sanitize.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f := sanitize.File{Name: c.File}
		copied := func(src io.Reader) string {
			var out bytes.Buffer
			if _, err := s.Copy(context.Background(), &out, src, f); err != nil {
				t.Fatalf("%s: %v", c.ID, err)
			}
			return out.String()
		}
		once := copied(strings.NewReader(c.Input))
		if twice := copied(strings.NewReader(once)); twice != once {
			t.Errorf("%s %s: a second time changes it from\n%s\nto\n%s", c.Set, c.ID, once, twice)
		}
		if small := copied(iotest.OneByteReader(strings.NewReader(c.Input))); small != once {
			t.Errorf("%s %s: byte by byte it is\n%s\nnot\n%s", c.Set, c.ID, small, once)
		}
		hits, err := s.Check(context.Background(), strings.NewReader(once), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hits {
			t.Errorf("%s %s: the gate finds %s in\n%s", c.Set, c.ID, h.Rule, once)
		}
	}
}
