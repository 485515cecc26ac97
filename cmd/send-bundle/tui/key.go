package tui

import (
	"bytes"
	"unicode/utf8"
)

// Key is a key that was pressed: a name, or else a character.
type Key struct {
	Name string
	Rune rune
}

// The names of keys.
const (
	Up        = "up"
	Down      = "down"
	Left      = "left"
	Right     = "right"
	PageUp    = "page up"
	PageDown  = "page down"
	Home      = "home"
	End       = "end"
	Enter     = "enter"
	Tab       = "tab"
	Escape    = "escape"
	Backspace = "backspace"
	Interrupt = "interrupt" // control-C
	Resized   = "resized"   // no key: the window has another size
	Unknown   = "unknown"
)

// Is tells whether it is that character.
func (k Key) Is(r rune) bool { return k.Name == "" && k.Rune == r }

var sequences = []struct {
	seq  string
	name string
}{
	{"\x1b[A", Up}, {"\x1b[B", Down}, {"\x1b[C", Right}, {"\x1b[D", Left},
	{"\x1bOA", Up}, {"\x1bOB", Down}, {"\x1bOC", Right}, {"\x1bOD", Left},
	{"\x1b[5~", PageUp}, {"\x1b[6~", PageDown},
	{"\x1b[H", Home}, {"\x1b[F", End}, {"\x1bOH", Home}, {"\x1bOF", End}, {"\x1b[1~", Home}, {"\x1b[4~", End}, {"\x1b[7~", Home}, {"\x1b[8~", End},
}

// decode takes the next key from the bytes that were read. Nothing is taken
// while a sequence may still go on; all tells that no more comes.
func decode(b []byte, all bool) (Key, int) {
	if len(b) == 0 {
		return Key{}, 0
	}
	switch c := b[0]; {
	case c == '\r' || c == '\n':
		return Key{Name: Enter}, 1
	case c == '\t':
		return Key{Name: Tab}, 1
	case c == 0x7f || c == 0x08:
		return Key{Name: Backspace}, 1
	case c == 0x03 || c == 0x04:
		return Key{Name: Interrupt}, 1
	case c == 0x1b:
		return escape(b, all)
	case c < 0x20:
		return Key{Name: Unknown}, 1
	}
	if !utf8.FullRune(b) && !all {
		return Key{}, 0
	}
	r, n := utf8.DecodeRune(b)
	return Key{Rune: r}, n
}

func escape(b []byte, all bool) (Key, int) {
	for _, s := range sequences {
		if bytes.HasPrefix(b, []byte(s.seq)) {
			return Key{Name: s.name}, len(s.seq)
		}
	}
	if len(b) == 1 {
		if all {
			return Key{Name: Escape}, 1
		}
		return Key{}, 0
	}
	if b[1] != '[' && b[1] != 'O' {
		return Key{Name: Escape}, 1
	}
	// Some other key of the terminal: up to its last byte.
	for i := 2; i < len(b); i++ {
		if b[i] >= 0x40 && b[i] <= 0x7e {
			return Key{Name: Unknown}, i + 1
		}
	}
	if all || len(b) > 32 {
		return Key{Name: Unknown}, len(b)
	}
	return Key{}, 0
}
