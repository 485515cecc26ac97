package policy

import (
	"strings"
	"testing"
)

// REQ A9: what only the relay says never opens anything. A rule that would let
// somebody in because of it does not; one that keeps somebody out does.
func TestRelaysWordOnlyTakesAway(t *testing.T) {
	var names *Key
	for _, k := range keysOf[ConnectAccept] {
		if k.Path() == "engineer.names" {
			names = k
		}
	}
	if names == nil {
		t.Fatal("engineer.names does not bear on connections")
	}
	was := names.deny
	t.Cleanup(func() { names.deny = was })
	p, err := Parse(map[string][]byte{"a.hcl": []byte(`engineer { names = ["eve"] }`)})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(from string) Decision {
		return p.Decide(ConnectAccept, Facts{Engineer: "eve", From: from})
	}
	// No rule of today looks at it at all.
	if d := ask("203.0.113.7:1"); !d.Allowed {
		t.Fatalf("%+v", d)
	}
	// One that allows by it.
	names.deny = func(_ *value, r *request) string {
		if r.facts[From] == "10.0.0.1:1" {
			return ""
		}
		return "not from there"
	}
	if d := ask("10.0.0.1:1"); d.Allowed || d.Rule.Key != "engineer.names" || !strings.Contains(d.Reason, "the relay's word") || d.Facts[From] != "10.0.0.1:1" {
		t.Errorf("the relay opened by its word: %+v", d)
	}
	// One that denies by it.
	names.deny = func(_ *value, r *request) string {
		if r.facts[From] == "203.0.113.7:1" {
			return "not from there"
		}
		return ""
	}
	if d := ask("203.0.113.7:1"); d.Allowed {
		t.Errorf("a rule that keeps somebody out did not: %+v", d)
	}
	if d := ask("10.0.0.1:1"); !d.Allowed {
		t.Errorf("%+v", d)
	}
}

func TestExplainSaysWhatIsClaimed(t *testing.T) {
	p, err := Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Explain(ConnectAccept, Facts{Engineer: "eve", From: "10.0.0.1:1"}).Text(); !strings.Contains(got, claimedNote) {
		t.Error(got)
	}
	if got := p.Explain(ConnectAccept, Facts{Engineer: "eve"}).Text(); strings.Contains(got, claimedNote) {
		t.Error(got)
	}
}
