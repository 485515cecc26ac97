package scan

import (
	"bytes"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// userHits adds a hit wherever a name of the user's own is written, so that
// the line is looked at. Users have few such names; a plain search will do.
func (s *Scanner) userHits(buf []byte, from, to int) {
	n := len(s.all)
	for _, k := range s.UserKeys {
		if len(k) == 0 {
			continue
		}
		first := [2]byte{lower(k[0]), upper(k[0])}
		for p := from; p < to; {
			i := bytes.IndexAny(buf[p:to], string(first[:]))
			if i < 0 {
				break
			}
			p += i
			if sameName(buf[p:min(to, p+len(k)+8)], k) {
				s.all = append(s.all, hit{p, userStem})
			}
			p++
		}
	}
	if len(s.all) > n {
		slices.SortStableFunc(s.all, func(a, b hit) int { return a.pos - b.pos })
	}
}

// sameName compares without regard to case and separators.
func sameName(b []byte, key string) bool {
	i := 0
	for j := 0; j < len(key); j++ {
		if key[j] == '_' || key[j] == '-' || key[j] == '.' {
			continue
		}
		for i < len(b) && i > 0 && (b[i] == '_' || b[i] == '-' || b[i] == '.') {
			i++
		}
		if i >= len(b) || lower(b[i]) != lower(key[j]) {
			return false
		}
		i++
	}
	return true
}

// userName tells whether name is one of the user's.
func (s *Scanner) userName(name []byte) (keyname.Kind, bool) {
	strip := strings.NewReplacer("_", "", "-", "", ".", "")
	plain := strings.ToLower(strip.Replace(string(name)))
	for _, k := range s.UserKeys {
		if plain == strings.ToLower(strip.Replace(k)) {
			return "custom", true
		}
	}
	return "", false
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c |= 0x20
	}
	return c
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		c &^= 0x20
	}
	return c
}
