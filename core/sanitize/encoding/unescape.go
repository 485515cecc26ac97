package encoding

import (
	"unicode/utf8"
)

// Escaped reports whether text holds a character that starts an escape in URLs,
// JSON strings or XML.
func Escaped(text []byte) bool {
	for _, c := range text {
		if c == '%' || c == '\\' || c == '&' {
			return true
		}
	}
	return false
}

// AppendUnescaped appends text with the escapes of URLs (%70), JSON strings
// (\u0070, \", \/) and XML (&#112;, &amp;) resolved, whichever are there. What
// is no escape stays. It is for matching key names, where a false resolution
// costs nothing, not for values.
func AppendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		r, n := rune(0), 0
		switch text[i] {
		case '%':
			r, n = percentEscape(text[i:])
		case '\\':
			r, n = backslashEscape(text[i:])
		case '&':
			r, n = entity(text[i:])
		}
		if n == 0 {
			dst = append(dst, text[i])
			i++
			continue
		}
		if text[i] == '%' {
			dst = append(dst, byte(r)) // a byte, not a character
		} else {
			dst = utf8.AppendRune(dst, r)
		}
		i += n
	}
	return dst
}

// AppendPercent appends text with percent escapes resolved.
func AppendPercent(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] == '%' {
			if r, n := percentEscape(text[i:]); n > 0 {
				dst = append(dst, byte(r))
				i += n - 1
				continue
			}
		}
		dst = append(dst, text[i])
	}
	return dst
}

// AppendJSON appends the inside of a JSON string with its escapes resolved,
// pairs of surrogates joined.
func AppendJSON(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] == '\\' {
			if r, n := backslashEscape(text[i:]); n > 0 {
				dst = utf8.AppendRune(dst, r)
				i += n
				continue
			}
		}
		dst = append(dst, text[i])
		i++
	}
	return dst
}

// AppendXML appends text with character references and the five entities of
// XML resolved.
func AppendXML(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] == '&' {
			if r, n := entity(text[i:]); n > 0 {
				dst = utf8.AppendRune(dst, r)
				i += n
				continue
			}
		}
		dst = append(dst, text[i])
		i++
	}
	return dst
}

func hexValue(c byte) (rune, bool) {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}

func percentEscape(b []byte) (rune, int) {
	if len(b) < 3 {
		return 0, 0
	}
	hi, ok1 := hexValue(b[1])
	lo, ok2 := hexValue(b[2])
	if !ok1 || !ok2 {
		return 0, 0
	}
	return hi<<4 | lo, 3
}

func backslashEscape(b []byte) (rune, int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/', '\'':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		high, ok := fourHex(b[2:])
		if !ok {
			return 0, 0
		}
		if high >= 0xd800 && high < 0xdc00 && len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
			if low, ok := fourHex(b[8:]); ok && low >= 0xdc00 && low < 0xe000 {
				return 0x10000 + (high-0xd800)<<10 + (low - 0xdc00), 12
			}
		}
		return high, 6
	case 'x':
		if len(b) >= 4 {
			hi, ok1 := hexValue(b[2])
			lo, ok2 := hexValue(b[3])
			if ok1 && ok2 {
				return hi<<4 | lo, 4
			}
		}
	}
	return 0, 0
}

func fourHex(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var v rune
	for _, c := range b[:4] {
		h, ok := hexValue(c)
		if !ok {
			return 0, false
		}
		v = v<<4 | h
	}
	return v, true
}

var entities = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// entity resolves &amp; and its like, &#112; and &#x70;.
func entity(b []byte) (rune, int) {
	end := 1
	for end < len(b) && end < 12 && b[end] != ';' {
		end++
	}
	if end >= len(b) || b[end] != ';' || end < 3 {
		return 0, 0
	}
	name := b[1:end]
	if r, ok := entities[string(name)]; ok {
		return r, end + 1
	}
	if name[0] != '#' {
		return 0, 0
	}
	name = name[1:]
	var base rune = 10
	if name[0]|0x20 == 'x' {
		name, base = name[1:], 16
	}
	var v rune
	for _, c := range name {
		h, ok := hexValue(c)
		if !ok || h >= base || v > utf8.MaxRune {
			return 0, 0
		}
		v = v*base + h
	}
	if len(name) == 0 || v == 0 || !utf8.ValidRune(v) {
		return 0, 0
	}
	return v, end + 1
}
