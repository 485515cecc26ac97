package encoding

import (
	"bytes"
	"unicode/utf8"
)

// A Kind is what a file's bytes are.
type Kind uint8

// The kinds. Text in an ASCII superset that is not UTF-8 (Latin-1, Shift JIS)
// is UTF8 here: the scanner looks at ASCII and passes other bytes on.
const (
	UTF8    Kind = iota // UTF-8, ASCII or anything like it
	UTF16LE             // two bytes a unit, low byte first
	UTF16BE
	UTF32LE
	UTF32BE
	Binary // not text
)

var kindNames = [...]string{"utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be", "binary"}

// String returns the name of the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Wide reports whether text of this kind must be transcoded.
func (k Kind) Wide() bool { return k >= UTF16LE && k <= UTF32BE }

// DetectSize is how much of a file [Detect] wants to see.
const DetectSize = 8 << 10

// Detect classifies a file by its first bytes (as many as there are, up to
// [DetectSize]). A byte order mark decides; else the places of NUL bytes do:
// Latin text in UTF-16 has one in every second byte. Other NUL bytes, or many
// control characters, mean binary. Text with a few NULs among lines (a log
// after a crash) is still text. An empty file is text.
func Detect(head []byte) Kind {
	head = head[:min(len(head), DetectSize)]
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0}) && len(head) >= 8 && plausible32(head[4:], true):
		return UTF32LE
	case bytes.HasPrefix(head, []byte{0, 0, 0xfe, 0xff}):
		return UTF32BE
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return UTF16LE
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return UTF16BE
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		head = head[3:]
	}
	nul := bytes.Count(head, []byte{0})
	if nul == 0 {
		return byControls(head)
	}
	if k, ok := byNULs(head); ok {
		return k
	}
	// A few NULs in running text.
	if nul*20 <= len(head) && utf8.Valid(trimPartial(head)) && byControls(bytes.ReplaceAll(head, []byte{0}, nil)) == UTF8 && len(head) >= 64 {
		return UTF8
	}
	return binaryOrPadded(head)
}

// byNULs counts the NULs at each offset modulo four.
func byNULs(head []byte) (Kind, bool) {
	var at [4]int
	for i, c := range head[:len(head)&^3] {
		if c == 0 {
			at[i&3]++
		}
	}
	n := len(head) / 4
	if n >= 2 {
		// UTF-32 has two or three NULs in a unit, always at the same end.
		if at[2] == n && at[3] == n && at[0] == 0 && plausible32(head, true) {
			return UTF32LE, true
		}
		if at[0] == n && at[1] == n && at[3] == 0 && plausible32(head, false) {
			return UTF32BE, true
		}
	}
	units := len(head) / 2
	if units < 2 {
		return UTF8, false
	}
	var even, odd int
	for i, c := range head[:len(head)&^1] {
		if c == 0 {
			if i&1 == 0 {
				even++
			} else {
				odd++
			}
		}
	}
	// Mostly Latin text: most high bytes are NUL, hardly any low byte is.
	switch {
	case wordsAmid(head):
		// UTF-16 in a part of the file only: records of another program in a log.
	case odd*10 >= units*4 && even*50 <= units && plausible16(head, true):
		return UTF16LE, true
	case even*10 >= units*4 && odd*50 <= units && plausible16(head, false):
		return UTF16BE, true
	}
	return UTF8, false
}

// wordsAmid reports whether there are sixteen letters, digits and blanks in a
// row, in single bytes. No text in UTF-16 looks like that.
func wordsAmid(head []byte) bool {
	n := 0
	for _, c := range head {
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == ' ' {
			if n++; n == 16 {
				return true
			}
		} else {
			n = 0
		}
	}
	return false
}

// plausible16 reports whether the Latin units among those of head are text.
func plausible16(head []byte, little bool) bool {
	good, bad := 0, 0
	for i := 0; i+1 < len(head); i += 2 {
		lo, hi := head[i], head[i+1]
		if !little {
			lo, hi = hi, lo
		}
		if hi != 0 {
			continue
		}
		if control(lo) {
			bad++
		} else {
			good++
		}
	}
	return good > 0 && bad*20 <= good
}

func plausible32(head []byte, little bool) bool {
	for i := 0; i+3 < len(head); i += 4 {
		if r := unit32(head[i:], little); r > utf8.MaxRune || r == 0 {
			return false
		}
	}
	return true
}

// byControls: text has few control characters.
func byControls(head []byte) Kind {
	bad := 0
	for _, c := range head {
		if control(c) {
			bad++
		}
	}
	if bad*10 > len(head) || bad*50 > len(head) && !utf8.Valid(trimPartial(head)) {
		return Binary
	}
	return UTF8
}

// control reports characters that text does not hold; escape, backspace and
// the spaces are common in logs of terminals.
func control(c byte) bool {
	switch c {
	case '\t', '\n', '\r', '\f', '\v', '\b', 0x1b, 0x07:
		return false
	}
	return c < 0x20 || c == 0x7f
}

// binaryOrPadded recognises text files that are padded with NULs at one end,
// as preallocated logs and copies of /proc files are.
func binaryOrPadded(head []byte) Kind {
	body := bytes.Trim(head, "\x00")
	if len(body) > 16 && bytes.IndexByte(body, 0) < 0 && utf8.Valid(trimPartial(body)) && byControls(body) == UTF8 {
		return UTF8
	}
	// NUL-separated words (/proc/PID/environ, cmdline, xargs -0 lists).
	if nuls := bytes.Count(head, []byte{0}); nuls*3 <= len(head) && !bytes.Contains(head, []byte{0, 0, 0, 0}) {
		words := bytes.ReplaceAll(head, []byte{0}, []byte{'\n'})
		if utf8.Valid(trimPartial(words)) && noControls(words) {
			return UTF8
		}
	}
	return Binary
}

func noControls(b []byte) bool {
	for _, c := range b {
		if control(c) {
			return false
		}
	}
	return true
}

// trimPartial drops a UTF-8 sequence that the end of the buffer cuts.
func trimPartial(b []byte) []byte {
	for i := 1; i <= 3 && i <= len(b); i++ {
		if c := b[len(b)-i]; utf8.RuneStart(c) {
			if c >= 0xc0 && !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}

func unit32(b []byte, little bool) rune {
	if little {
		return rune(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
	}
	return rune(uint32(b[3]) | uint32(b[2])<<8 | uint32(b[1])<<16 | uint32(b[0])<<24)
}
