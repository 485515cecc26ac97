package accuracy_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/sanitize"
	"github.com/latchstring/latchstring/core/sanitize/accuracy"
	"github.com/latchstring/latchstring/core/sanitize/corpus"
	"github.com/latchstring/latchstring/core/sanitize/gate"
)

// The gate stays silent on what the engine lets through: an alarm there stops
// every bundle.
func TestGateAgreesOnOwnCases(t *testing.T) {
	ctx := context.Background()
	cases, err := accuracy.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	r := accuracy.Runner{
		New: func(o sanitize.Options) (sanitize.Engine, error) { return sanitize.New(o) },
		Key: sanitize.Key{1, 2, 3},
	}
	outcomes, err := r.Run(ctx, cases)
	if err != nil {
		t.Fatal(err)
	}
	g := gate.New(gate.Rules{})
	alarms := 0
	for _, o := range outcomes {
		for _, text := range []string{o.Out.Off, o.Out.On} {
			hits, err := g.Check(ctx, strings.NewReader(text), o.Case.ID)
			if err != nil {
				t.Fatal(err)
			}
			if len(hits) > 0 {
				t.Errorf("%s %s: the gate finds %v in\n%s", o.Case.Set, o.Case.ID, hits, text)
				break
			}
		}
		if hits, _ := g.Check(ctx, strings.NewReader(o.Case.Input), o.Case.ID); len(hits) > 0 {
			alarms++
		}
	}
	if alarms < 20 {
		t.Errorf("the gate finds something in only %d inputs: is it blind?", alarms)
	}
}

// On the corpus the engine hides every planted secret, and the gate, which is
// told them all, finds none.
func TestCorpusIsClean(t *testing.T) {
	ctx := context.Background()
	var in, out bytes.Buffer
	truth, err := corpus.New(corpus.Options{Seed: 1, LinesPerSecret: 60}).Write(&in, 2<<20)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sanitize.New(sanitize.Options{Key: &sanitize.Key{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Copy(ctx, &out, &in, sanitize.File{Name: "corpus.log"}); err != nil {
		t.Fatal(err)
	}
	var secrets [][]byte
	for _, x := range truth {
		secrets = append(secrets, []byte(x.Value))
		if bytes.Contains(out.Bytes(), []byte(x.Value)) {
			t.Errorf("%s of line %d survives: %q", x.Kind, x.Line, x.Value)
		}
	}
	hits, err := gate.New(gate.Rules{Secrets: secrets}).Check(ctx, &out, "corpus.log")
	if err != nil || len(hits) > 0 {
		t.Errorf("gate: %v, %v", hits, err)
	}
}
