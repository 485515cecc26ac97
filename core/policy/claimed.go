package policy

import "maps"

// claimed are the facts for which there is nothing but the word of the relay, or
// of whoever took it over. Such a fact may take away and never give: what is
// allowed with it must be allowed without it too.
var claimed = []Fact{From}

// claimedNote is what an explanation says about them.
const claimedNote = "`from` is the relay's word and is not proved: it can only make the answer stricter"

// proved are the facts without the claimed ones; claims reports whether there
// were any.
func proved(facts Facts) (rest Facts, claims bool) {
	for _, f := range claimed {
		if _, told := facts[f]; !told {
			continue
		}
		if !claims {
			rest, claims = maps.Clone(facts), true
		}
		delete(rest, f)
	}
	return rest, claims
}
