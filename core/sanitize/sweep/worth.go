package sweep

import (
	"bytes"
	_ "embed"
	"strings"
	"sync"
)

// MinSecret is the length of the shortest value that is swept for.
const MinSecret = 6

//go:embed words.txt
var wordList string

// words are strings that ordinary logs and configurations are full of, in
// lower case, letters only. A password that is one of them is not swept for.
var words = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(wordList) {
		m[w] = true
	}
	return m
})

// Worth reports whether a value is distinct enough to be swept for. It is not
// if it is short (below 6 bytes, or below 8 with only one class of
// characters), a number of less than 12 digits, a date or version or address
// (digits and punctuation only, below 16 bytes), made of ordinary words, all of
// one or two characters, a path in a system directory, a reference such as
// ${VAR}, or one of our own tokens.
func Worth(v []byte) bool {
	v = bytes.TrimSpace(v)
	if len(v) < MinSecret {
		return false
	}
	var lower, upper, digit, other int
	var present [256]bool
	distinct := 0
	for _, c := range v {
		if !present[c] {
			present[c] = true
			distinct++
		}
		switch {
		case 'a' <= c && c <= 'z':
			lower++
		case 'A' <= c && c <= 'Z':
			upper++
		case '0' <= c && c <= '9':
			digit++
		default:
			other++
		}
	}
	switch {
	case distinct < 3:
		return false
	case digit == len(v):
		return len(v) >= 12 && distinct > 4
	case lower+upper == 0:
		return len(v) >= 16 && distinct > 6
	}
	if len(v) < 8 && classes(lower, upper, digit, other) < 2 {
		return false
	}
	return !common(v) && !reference(v)
}

func classes(counts ...int) int {
	n := 0
	for _, c := range counts {
		if c > 0 {
			n++
		}
	}
	return n
}

// common reports whether v is ordinary words and little else: each run of four
// or more letters is a word of the list, and all the rest together is at most
// three bytes. admin123, Password1!, my_database and springBoot are common.
func common(v []byte) bool {
	if len(v) > 24 {
		return false
	}
	list := words()
	rest := 0
	for i := 0; i < len(v); {
		n := wordLength(v[i:])
		if n >= 4 {
			if !list[strings.ToLower(string(v[i:i+n]))] {
				return false
			}
		} else {
			n = max(n, 1)
			rest += n
		}
		i += n
	}
	return rest <= 3
}

// wordLength returns the length of the letters at the front, up to where a
// capital follows a small letter.
func wordLength(v []byte) int {
	n := 0
	for n < len(v) && isLetter(v[n]) && (n == 0 || v[n] >= 'a' || v[n-1] < 'a') {
		n++
	}
	return n
}

func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

// reference reports whether v stands for something else.
func reference(v []byte) bool {
	for _, p := range []string{
		"/etc/", "/var/", "/usr/", "/opt/", "/home/", "/root/", "/tmp/", "/run/", "/proc/", "/dev/", "/srv/", "/mnt/", "/lib/",
		"${", "$(", "{{", "<%", "%(", "#{", "REDACTED",
	} {
		if bytes.HasPrefix(v, []byte(p)) {
			return true
		}
	}
	return v[0] == '<' && v[len(v)-1] == '>' && bytes.IndexByte(v, ' ') < 0 && len(v) < 40
}
