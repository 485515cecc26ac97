package keyname

import "bytes"

// Class says how far the name of a key condemns its value.
type Class uint8

const (
	// Harmless names say nothing about their value.
	Harmless Class = iota
	// Policy names speak about a secret but do not hold one.
	Policy
	// Weak names may hold a secret: the value decides by its look.
	Weak
	// Strong names hold a secret, however weak it looks.
	Strong
)

// Kind is what the secret is called in its token: REDACTED_kind_n.
type Kind string

// Kinds of secrets that a key's name can tell apart.
const (
	Password   Kind = "password"
	Token      Kind = "token"
	Secret     Kind = "secret"
	APIKey     Kind = "key"
	Cookie     Kind = "cookie"
	Credential Kind = "credential"
	Community  Kind = "community"
)

const maxWords = 16

// Classify looks at the words of name. It allocates nothing.
func Classify(name []byte) (Class, Kind) {
	if len(name) < 2 {
		return Harmless, ""
	}
	if len(name) > 128 {
		name = name[len(name)-128:]
	}
	var flat [128]byte // lower case, without punctuation
	var ends [maxWords]uint8
	n, w := 0, 0
	prev := byte(0)
	foreign := false
	for i, c := range name {
		switch {
		case c >= 'A' && c <= 'Z':
			// A seam before an upper-case letter that follows a lower-case
			// letter or digit, or that starts a word after an acronym.
			if n > 0 && (isLower(prev) || isDigit(prev) || (isUpper(prev) && i+1 < len(name) && isLower(name[i+1]) && !pluralTail(name, i))) {
				w = seam(&ends, w, n)
			}
			flat[n] = c | 0x20
			n++
		case isLower(c):
			if n > 0 && isDigit(prev) {
				w = seam(&ends, w, n)
			}
			flat[n] = c
			n++
		case isDigit(c):
			if n > 0 && !isDigit(prev) {
				w = seam(&ends, w, n)
			}
			flat[n] = c
			n++
		case c >= 0x80:
			foreign = true
			if n > 0 && prev < 0x80 {
				w = seam(&ends, w, n)
			}
			flat[n] = c
			n++
		default:
			if n > 0 {
				w = seam(&ends, w, n)
			}
		}
		prev = c
	}
	w = seam(&ends, w, n)
	if w == 0 {
		return Harmless, ""
	}
	if foreign {
		if k, ok := foreignName(name); ok {
			return Strong, k
		}
	}
	if n == 20 && string(flat[:12]) == "aspsessionid" {
		return Strong, Cookie // eight letters behind it
	}
	ws := words{flat: flat[:n], ends: ends[:w]}
	return ws.classify()
}

// pluralTail is true for the s of APIKEYs, which is no new word.
func pluralTail(name []byte, i int) bool {
	return i+2 == len(name) && name[i+1] == 's'
}

func seam(ends *[maxWords]uint8, w, n int) int {
	if n == 0 || (w > 0 && int(ends[w-1]) == n) {
		return w
	}
	if w == maxWords {
		ends[w-1] = uint8(n)
		return w
	}
	ends[w] = uint8(n)
	return w + 1
}

type words struct {
	flat []byte
	ends []uint8
}

func (w words) word(i int) []byte {
	start := 0
	if i > 0 {
		start = int(w.ends[i-1])
	}
	return w.flat[start:w.ends[i]]
}

func (w words) classify() (Class, Kind) {
	n := len(w.ends)
	// Trailing numbers and versions do not change what a name means:
	// token2, PASSWORD_1, secret_v2.
	for n > 1 && (isNumber(w.word(n-1)) || isVersion(w.word(n-1))) {
		n--
	}
	for n > 1 && isNumber(w.word(n-1)) {
		n--
	}
	flat := w.flat[:w.ends[n-1]]
	if c, ok := wholeNames[string(flat)]; ok {
		return c.class, c.kind
	}
	last := w.word(n - 1)
	// The last two words together are the strongest hint: "key id", "key ref".
	if n > 1 {
		two := w.flat[start(w, n-2):w.ends[n-1]]
		if c, ok := pairNames[string(two)]; ok {
			return c.class, c.kind
		}
	}
	if _, ok := policyTails[string(last)]; ok && n > 1 {
		if w.anySecretWord(n - 1) {
			return Policy, ""
		}
		return Harmless, ""
	}
	for i := 0; i < n-1; i++ {
		if _, ok := policyAnywhere[string(w.word(i))]; ok {
			if w.anySecretWord(n) {
				return Policy, ""
			}
			return Harmless, ""
		}
	}
	// From the end: the last noun is the head of the name.
	for i := n - 1; i >= 0; i-- {
		if k, ok := secretWords[string(w.word(i))]; ok {
			return Strong, k
		}
	}
	for _, s := range stems {
		if i := bytes.LastIndex(flat, []byte(s.stem)); i >= 0 {
			rest := flat[i+len(s.stem):]
			if len(rest) > 0 && hasPolicyTail(rest) {
				return Policy, ""
			}
			if s.whole && !seamless(flat, i, len(s.stem)) || s.whole && i == 0 && len(rest) > 0 && s.kind == APIKey {
				continue // ssh-keygen
			}
			return Strong, s.kind
		}
	}
	if bytes.HasSuffix(flat, []byte("key")) || bytes.HasSuffix(flat, []byte("keys")) {
		// The word beside it says which key it is: sort_key, not sort_api_key.
		for i := max(0, n-2); i < n; i++ {
			if _, ok := openKeys[string(w.word(i))]; ok {
				return Harmless, ""
			}
		}
		for _, p := range openKeyStems {
			if bytes.Contains(flat, []byte(p)) {
				return Harmless, ""
			}
		}
		return Weak, APIKey
	}
	for i := n - 1; i >= 0; i-- {
		if k, ok := weakWords[string(w.word(i))]; ok {
			return Weak, k
		}
	}
	return Harmless, ""
}

func start(w words, i int) int {
	if i == 0 {
		return 0
	}
	return int(w.ends[i-1])
}

// seamless keeps short stems from matching inside ordinary words: "pwd" counts
// at either end of the name only.
func seamless(flat []byte, i, n int) bool {
	return i == 0 || i+n == len(flat)
}

func (w words) anySecretWord(n int) bool {
	for i := range n {
		if _, ok := secretWords[string(w.word(i))]; ok {
			return true
		}
	}
	flat := w.flat[:w.ends[n-1]]
	for _, s := range stems {
		if bytes.Contains(flat, []byte(s.stem)) {
			return true
		}
	}
	return false
}

func hasPolicyTail(rest []byte) bool {
	_, ok := policyTails[string(rest)]
	return ok
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNumber(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}

func isVersion(b []byte) bool { return len(b) == 1 && b[0] == 'v' }
