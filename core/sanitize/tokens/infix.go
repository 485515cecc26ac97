package tokens

// Shapes whose tell-tale is not at the beginning.

// leads are prefixes that end in a byte which a run does not hold: what follows
// is a token of at least min characters, with letters and digits.
var leads = [...]struct {
	lead, rule string
	min        int
}{
	{"base64:", "laravel-app-key", 40},
	{"vault:v1:", "vault-ciphertext", 16},
	{"vault:v2:", "vault-ciphertext", 16},
	{"vault:v3:", "vault-ciphertext", 16},
	{"perm:", "jetbrains-token", 40},
	{"oauth:", "twitch-oauth", 28},
	{"Atza|", "amazon-token", 40},
	{"Atzr|", "amazon-token", 40},
}

// led looks for tokens that are told by what stands before the run, which is
// one of the foreign bytes.
func led(w []byte, start, end int) (Match, bool) {
	switch w[start-1] {
	case '!':
		return salesforce(w, start, end)
	case '|':
		if m, ok := facebook(w, start, end); ok {
			return m, true
		}
	default:
		if m, ok := telegram(w, start, end); ok {
			return m, true
		}
	}
	for i := range leads {
		l := &leads[i]
		if end-start >= l.min && hasSuffix(w[:start], l.lead) && hasDigit(w[start:end]) && (start == len(l.lead) || !is(w[start-len(l.lead)-1], alnum)) {
			return Match{Start: start, End: end, Rule: l.rule, Open: end == len(w)}, true
		}
	}
	return Match{}, false
}

// infix looks for tokens that are told by the punctuation at i, before which
// there are letters and digits since seg and base64URL characters since word.
func infix(w []byte, start, end, word, seg, i int) (Match, bool) {
	switch w[i] {
	case '.':
		return dots(w, word, end, i)
	case '-':
		switch n := i - seg; {
		case n == 5:
			return productKey(w, seg, end, i)
		case n == 32:
			return mailchimp(w, seg, end, i)
		case n >= 1 && n <= 14 && end-i > 64:
			return trueNAS(w, seg, end, i)
		}
	case '_':
		if i+1 < end && w[i+1] == 'm' {
			return maxmind(w, start, end, i)
		}
	case '=':
		return azureKey(w, start, end, seg, i)
	case '~':
		return azureSecret(w, start, end, i)
	}
	return Match{}, false
}

// minSigned is the length of the shortest stretch that signed looks at.
const minSigned = 36

// signed looks at a long stretch of letters and digits for the marks that some
// issuers put into theirs.
func signed(w []byte, start, end, i, j int) (Match, bool) {
	n := j - i
	if n <= 46 && hasPrefix(w[j-4:j], "NRAL", true) {
		return Match{Start: i, End: j, Rule: "newrelic-license", Open: j == len(w)}, true
	}
	if n == 84 && hasPrefix(w[j-8:j], "AZDO", false) {
		return Match{Start: i, End: j, Rule: "azure-devops-token", Open: j == len(w)}, true
	}
	if n == 40 && bothCasesHex(w[i:j]) {
		return Match{Start: i, End: j, Rule: "mixed-case-hex", Open: j == len(w)}, true
	}
	if j == end || !is(w[j], base64Std) && w[j] != '=' {
		return azureKey(w, start, end, i, j)
	}
	return Match{}, false
}

// bothCasesHex says whether v is hex with letters in both cases, as generators
// of keys write it: a hash is written in one.
func bothCasesHex(v []byte) bool {
	var lower, upper int
	for _, c := range v {
		switch {
		case c >= 'a' && c <= 'f':
			lower++
		case c >= 'A' && c <= 'F':
			upper++
		case c < '0' || c > '9':
			return false
		}
	}
	return lower >= 3 && upper >= 3
}

// azureMarks are the signatures that Azure puts near the end of its keys.
var azureMarks = [...]string{"+ASt", "+AMC", "AzFu", "AzSe", "ACDb", "+ABa", "+ACR", "+AEh", "+ARm", "+AIo", "APIM", "AzCa"}

// azureKey is a key of base64 that ends at i, where nothing or '=' follows. Its
// last letters and digits begin at seg.
func azureKey(w []byte, start, end, seg, i int) (Match, bool) {
	if i-start < 43 {
		return Match{}, false
	}
	s := spanBack(w[start:], seg-start, base64Std) + start
	switch i - s {
	case 43, 44, 52, 84, 86:
	default:
		return Match{}, false
	}
	for k := i - 16; k < i-8; k++ {
		if w[k] != '+' && w[k] != 'A' {
			continue
		}
		for _, m := range azureMarks {
			if hasPrefix(w[k:i], m, false) && random(w[s:i]) {
				e := i
				for n := 0; n < 2 && e < len(w) && w[e] == '='; n++ {
					e++
				}
				return Match{Start: s, End: e, Rule: "azure-key", Open: e == len(w)}, true
			}
		}
	}
	return Match{}, false
}

// azureSecret is xxx8Q~ and 31 to 34 more: the ~ is at i.
func azureSecret(w []byte, start, end, i int) (Match, bool) {
	const inner = word | dotted // [A-Za-z0-9_~.-]
	ok := func(b byte) bool { return is(b, inner) && b != '=' || b == '~' }
	if i-start < 5 || w[i-1] != 'Q' || !is(w[i-2], digit) {
		return Match{}, false
	}
	s := i - 5
	for _, b := range w[s:i] {
		if !ok(b) {
			return Match{}, false
		}
	}
	if s > 0 && is(w[s-1], alnum) {
		return Match{}, false
	}
	e := i + 1
	for e < len(w) && ok(w[e]) {
		e++
	}
	if n := e - i - 1; n < 31 || n > 40 {
		return Match{}, false
	}
	return Match{Start: s, End: e, Rule: "azure-client-secret", Open: e == len(w)}, true
}

// dots are the tokens of parts with dots between; the first part is w[s:i].
func dots(w []byte, s, end, i int) (Match, bool) {
	first := i - s
	// Vault before 1.10: s . 24
	if first == 1 && w[s] == 's' {
		e := span(w[:end], i+1, alnum)
		if v := w[i+1 : e]; e-i-1 == 24 && (e == len(w) || !is(w[e], base64Any)) && hasDigit(v) && bothCases(v) {
			return Match{Start: s, End: e, Rule: "vault-token", Open: e == len(w)}, true
		}
	}
	if first < 10 && first != 6 {
		return Match{}, false
	}
	// Terraform: 14 . atlasv1 . 60 and more
	if hasPrefix(w[i:end], ".atlasv1.", false) {
		e := span(w[:end], i+9, base64Any)
		if first >= 14 && e-i-9 >= 40 {
			return Match{Start: s, End: e, Rule: "terraform-token", Open: e == len(w)}, true
		}
	}
	// Airtable: letters . v1 . letters . hex
	if hasPrefix(w[i:end], ".v1.", false) && first >= 10 {
		j := span(w[:end], i+4, base64URL)
		if j < end && w[j] == '.' && j-i-4 >= 10 {
			if e := span(w[:end], j+1, hex); e-j-1 >= 32 {
				return Match{Start: s, End: e, Rule: "airtable-oauth", Open: e == len(w)}, true
			}
		}
	}
	// Discord bot: 23-28 . 6-7 . 27-38, the first a number in base64
	if first >= 23 && first <= 30 {
		j := span(w[:end], i+1, base64URL)
		if n := j - i - 1; (n == 6 || n == 7) && j < end && w[j] == '.' {
			if e := span(w[:end], j+1, base64URL); e-j-1 >= 27 && e-j-1 <= 45 && random(w[s:i]) && random(w[j+1:e]) {
				return Match{Start: s, End: e, Rule: "discord-token", Open: e == len(w)}, true
			}
		}
	}
	// Google client id, by what follows it
	if first >= 34 && hasPrefix(w[i:], ".apps.googleusercontent.com", true) {
		return Match{Start: s, End: i, Rule: "google-client-id"}, true
	}
	// Kubernetes bootstrap token: 6 . 16, beside its name
	if first == 6 {
		e := span(w[:end], i+1, lowerDigit)
		if e-i-1 == 16 && (e == end || !is(w[e], base64Any)) && hasDigit(w[s:e]) && near(w, s, "token", 40, "bootstrap") {
			return Match{Start: s, End: e, Rule: "kubernetes-bootstrap", Open: e == len(w)}, true
		}
	}
	return Match{}, false
}

func bothCases(v []byte) bool {
	lower, upper := false, false
	for _, c := range v {
		lower = lower || c >= 'a' && c <= 'z'
		upper = upper || c >= 'A' && c <= 'Z'
	}
	return lower && upper
}

// maxmind is 6 _ 29 _mmk; the last _ is at i.
func maxmind(w []byte, start, end, i int) (Match, bool) {
	if !hasPrefix(w[i:end], "_mmk", false) || i-start < 36 {
		return Match{}, false
	}
	s := spanBack(w[start:], i-start, word) + start
	if i-s != 36 || w[s+6] != '_' {
		return Match{}, false
	}
	return Match{Start: s, End: i + 4, Rule: "maxmind-key"}, true
}

// productKey is five groups of five capitals and digits, as licences of
// operating systems and hypervisors are written; the first is w[s:i].
func productKey(w []byte, s, end, i int) (Match, bool) {
	if i+24 > end || s > 0 && is(w[s-1], base64URL) || span(w[:i], s, upperDigit) != i {
		return Match{}, false
	}
	for g := i; g < i+24; g += 6 {
		if w[g] != '-' || span(w[:g+6], g+1, upperDigit) != g+6 {
			return Match{}, false
		}
	}
	e := i + 24
	if e < len(w) && is(w[e], base64URL) || !hasDigit(w[s:e]) || span(w[:end], s, digit) == i {
		return Match{}, false
	}
	return Match{Start: s, End: e, Rule: "product-key", Open: e == len(w)}, true
}

// mailchimp is 32 hex and -us12, mailgun 32, 8 and 8; the 32 are w[s:i].
func mailchimp(w []byte, s, end, i int) (Match, bool) {
	if i+4 > end || !hasDigit(w[s:i]) {
		return Match{}, false
	}
	if hasPrefix(w[i:end], "-us", false) && span(w[:i], s, hex) == i {
		e := span(w[:end], i+3, digit)
		if n := e - i - 3; n < 1 || n > 3 {
			return Match{}, false
		}
		return Match{Start: s, End: e, Rule: "mailchimp-key", Open: e == len(w)}, true
	}
	a := span(w[:end], i+1, lowerDigit)
	if span(w[:i], s, lowerDigit) != i || a-i-1 != 8 || a == end || w[a] != '-' {
		return Match{}, false
	}
	e := span(w[:end], a+1, lowerDigit)
	if e-a-1 != 8 {
		return Match{}, false
	}
	return Match{Start: s, End: e, Rule: "mailgun-signing-key", Open: e == len(w)}, true
}

// trueNAS is a small number, w[s:i], and 64 letters and digits.
func trueNAS(w []byte, s, end, i int) (Match, bool) {
	if span(w[:i], s, digit) != i || s > 0 && is(w[s-1], base64URL) {
		return Match{}, false
	}
	e := span(w[:end], i+1, alnum)
	if e-i-1 != 64 || !random(w[i+1:e]) {
		return Match{}, false
	}
	return Match{Start: s, End: e, Rule: "truenas-key", Open: e == len(w)}, true
}

// telegram is digits : AA and 32 more; the run begins behind the colon.
func telegram(w []byte, start, end int) (Match, bool) {
	s := spanBack(w, start-1, digit)
	if n := start - 1 - s; n < 2 || n > 16 {
		return Match{}, false
	}
	e := span(w[:end], start, base64URL)
	n := e - start
	if n < 34 || n > 36 || w[start] != 'A' && !near(w, s, "telegr", 60, "tgram") || s > 0 && is(w[s-1], alnum) && !hasSuffix(w[:s], "bot") {
		return Match{}, false
	}
	return Match{Start: s, End: e, Rule: "telegram-bot-token", Open: e == len(w)}, true
}

// kerberos is $krb5asrep$ or the like and a hash, of which w[start:end] is the
// last part or one before it.
func kerberos(w []byte, start, end int) (Match, bool) {
	if end-start < 32 || span(w[:end], start, hex) != end {
		return Match{}, false
	}
	for s := start - 1; s > 0 && start-s < 200 && w[s] != '\n'; s-- {
		if hasPrefix(w[s:], "$krb5", false) {
			return Match{Start: s, End: end, Rule: "kerberos-hash", Open: end == len(w)}, true
		}
	}
	if hasPrefix(w, "$krb5", false) {
		return Match{Start: 0, End: end, Rule: "kerberos-hash", Open: end == len(w)}, true
	}
	return Match{}, false
}

// salesforce is 00D and 12 more ! 96 more.
func salesforce(w []byte, start, end int) (Match, bool) {
	s := spanBack(w, start-1, alnum)
	if start-1-s != 15 && start-1-s != 18 || w[s] != '0' || w[s+1] != '0' {
		return Match{}, false
	}
	e := span(w[:end], start, dotted)
	if e-start < 60 {
		return Match{}, false
	}
	return Match{Start: s, End: e, Rule: "salesforce-token", Open: e == len(w)}, true
}

// facebook is 15 or 16 digits | 27 to 40 more.
func facebook(w []byte, start, end int) (Match, bool) {
	s := spanBack(w, start-1, digit)
	e := span(w[:end], start, base64URL)
	if n := start - 1 - s; n < 15 || n > 16 {
		return Match{}, false
	}
	if e-start < 27 || e-start > 40 || !random(w[start:e]) {
		return Match{}, false
	}
	return Match{Start: s, End: e, Rule: "facebook-app-token", Open: e == len(w)}, true
}

func hasSuffix(b []byte, s string) bool {
	return len(b) >= len(s) && hasPrefix(b[len(b)-len(s):], s, false)
}

// near says whether one of the words is in the n bytes before i.
func near(w []byte, i int, word1 string, n int, word2 string) bool {
	for j := max(0, i-n); j < i; j++ {
		if hasPrefix(w[j:i], word1, true) || hasPrefix(w[j:i], word2, true) {
			return true
		}
	}
	return false
}
