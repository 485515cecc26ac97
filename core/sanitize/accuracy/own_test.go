package accuracy_test

import (
	"context"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/sanitize"
	"github.com/latchstring/latchstring/core/sanitize/accuracy"
)

// What the project's own cases must reach, in percent.
const (
	minHidden = 97
	minKept   = 98
	minPseudo = 84
)

func TestOwnCases(t *testing.T) {
	cases, err := accuracy.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 1300 {
		t.Errorf("only %d cases", len(cases))
	}
	r := accuracy.Runner{
		New: func(o sanitize.Options) (sanitize.Engine, error) { return sanitize.New(o) },
		Key: sanitize.Key{1, 2, 3},
	}
	outcomes, err := r.Run(context.Background(), cases)
	if err != nil {
		t.Fatal(err)
	}
	rows, total := accuracy.Summary(outcomes)
	var table strings.Builder
	if err := accuracy.Print(&table, rows, total); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	if total.Hidden.Percent() < minHidden || total.Kept.Percent() < minKept || total.Pseudo.Percent() < minPseudo {
		var list strings.Builder
		accuracy.List(&list, outcomes, false)
		t.Errorf("hidden %v, want %d %%; kept %v, want %d %%; pseudonymized %v, want %d %%\n%s", total.Hidden, minHidden, total.Kept, minKept, total.Pseudo, minPseudo, list.String())
	}
}
