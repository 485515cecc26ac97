package accuracy

import "strings"

// Kind of a failure.
type Kind string

const (
	Leak       Kind = "leak"       // a must_hide string survived
	Lost       Kind = "lost"       // a must_keep string is gone without pseudonyms
	LostSoft   Kind = "lost-soft"  // the same in a soft_keep case
	LostPseudo Kind = "lost-on"    // a must_keep string is gone only with pseudonyms
	Identifier Kind = "identifier" // an identifier survived with pseudonyms on
	Overzeal   Kind = "overzeal"   // an identifier is gone with pseudonyms off
)

// Failure is one string that did not become what it must.
type Failure struct {
	Kind Kind
	// Want is the string of the case, Got the piece of it that survived.
	Want, Got string
	// Pseudonyms says which of the two outputs it is about.
	Pseudonyms bool
}

// Outputs are the two results for one case.
type Outputs struct {
	On  string // with pseudonyms
	Off string // without
}

// Judge compares the outputs with what the case demands.
func Judge(c *Case, out Outputs) []Failure {
	var fs []Failure
	for _, s := range c.MustHide {
		if got := survives(out.Off, s); got != "" {
			fs = append(fs, Failure{Kind: Leak, Want: s, Got: got})
		} else if got := survives(out.On, s); got != "" {
			fs = append(fs, Failure{Kind: Leak, Want: s, Got: got, Pseudonyms: true})
		}
	}
	for _, s := range c.MustKeep {
		switch {
		case !strings.Contains(out.Off, s) && c.SoftKeep:
			fs = append(fs, Failure{Kind: LostSoft, Want: s})
		case !strings.Contains(out.Off, s):
			fs = append(fs, Failure{Kind: Lost, Want: s})
		case !strings.Contains(out.On, s):
			fs = append(fs, Failure{Kind: LostPseudo, Want: s, Pseudonyms: true})
		}
	}
	for _, s := range identifiers(c) {
		if boundedCount(out.On, s) > 0 {
			fs = append(fs, Failure{Kind: Identifier, Want: s, Got: s, Pseudonyms: true})
		}
		if !strings.Contains(out.Off, s) {
			fs = append(fs, Failure{Kind: Overzeal, Want: s})
		}
	}
	return fs
}

func identifiers(c *Case) []string {
	return append(append([]string(nil), c.MustPseudo...), c.PolicyHide...)
}

// survives returns the longest piece of secret, at least 60 % of it and at
// least 8 characters (the whole of a shorter one), that is in out. A short
// secret counts only as a word of its own: "dev" does not survive in "device".
func survives(out, secret string) string {
	chars := []rune(secret)
	n := len(chars)
	if n == 0 {
		return ""
	}
	if n < 8 {
		if boundedCount(out, secret) > 0 {
			return secret
		}
		return ""
	}
	if strings.Contains(out, secret) {
		return secret
	}
	least := max(8, (n*6+9)/10)
	for l := n - 1; l >= least; l-- {
		for i := 0; i+l <= n; i++ {
			if p := string(chars[i : i+l]); strings.Contains(out, p) {
				return p
			}
		}
		// A long key is not worth a quadratic search: its least piece decides.
		if n > 512 && l > least {
			l = least + 1
		}
	}
	return ""
}

// boundedCount counts the occurrences of s in text that no letter or digit
// touches where s itself begins or ends with one.
func boundedCount(text, s string) int {
	if s == "" {
		return 0
	}
	n := 0
	for i := 0; ; {
		j := strings.Index(text[i:], s)
		if j < 0 {
			return n
		}
		at := i + j
		end := at + len(s)
		if !(at > 0 && word(text[at-1]) && word(s[0])) &&
			!(end < len(text) && word(text[end]) && word(s[len(s)-1])) {
			n++
		}
		i = at + 1
	}
}

func word(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_'
}
