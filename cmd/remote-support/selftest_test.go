package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/hostile"
)

// What did not hold stands out, and is said again at the end.
func TestTrial(t *testing.T) {
	var out bytes.Buffer
	tr := trial{w: &out, verdicts: map[hostile.Verdict]int{}}
	tr.head()
	tr.line(hostile.Result{Case: hostile.Case{Name: "a", Tries: "tries one thing", Expect: hostile.Refused}, Happened: "refused", Verdict: hostile.Holds, Kept: 1 << 20})
	tr.line(hostile.Result{Case: hostile.Case{Name: "b", Tries: "tries another", Expect: hostile.Noticed}, Happened: "it is in\nand nobody said so", Verdict: hostile.Broken})
	tr.line(hostile.Result{Case: hostile.Case{Name: "c", Tries: "tries a third", Expect: hostile.Harmless}, Happened: "no port", Verdict: hostile.NotTested})
	tr.foot()
	for _, want := range []string{"refused        a\n", "DOES NOT HOLD  b\n", "it is in; and nobody said so", "NOT TESTED     c\n", "1 of 3 attacks ended as they should", "1 DID NOT", "1 COULD NOT BE MADE"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if tr.code() != 4 {
		t.Errorf("exit code %d", tr.code())
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 90 {
			t.Errorf("a line of %d letters: %s", len(line), line)
		}
	}
}
