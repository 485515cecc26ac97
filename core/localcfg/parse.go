package localcfg

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
)

// maxSize bounds the file.
const maxSize = 256 << 10

// File is a configuration file that was read.
type File struct {
	Path    string
	Entries []Entry // in the order of the file
}

// Entry is one assignment.
type Entry struct {
	Key, Value string
	Line       int // from 1
}

// Mistake is one thing that is wrong with the file.
type Mistake struct {
	File         string
	Line, Column int
	What         string
}

func (m Mistake) String() string {
	return fmt.Sprintf("%s:%d,%d: %s", m.File, m.Line, m.Column, m.What)
}

// Error holds all mistakes of a file.
type Error struct{ Mistakes []Mistake }

func (e *Error) Error() string {
	lines := make([]string, len(e.Mistakes))
	for i, m := range e.Mistakes {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// ExitCode is the exit code of a command that ends with this error.
func (e *Error) ExitCode() int { return 4 }

// Load reads the file at path and checks it against [Keys]. A file that does
// not exist is empty.
func Load(path string) (*File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &File{Path: path}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	out, mistakes := parse(path, string(data))
	mistakes = append(mistakes, out.check()...)
	if len(mistakes) > 0 {
		return nil, &Error{mistakes}
	}
	return out, nil
}

// Parse reads the text of a file without looking at what the keys mean.
func Parse(path, text string) (*File, error) {
	out, mistakes := parse(path, text)
	if len(mistakes) > 0 {
		return nil, &Error{mistakes}
	}
	return out, nil
}

func parse(path, text string) (*File, []Mistake) {
	out := &File{Path: path}
	if len(text) > maxSize {
		return out, []Mistake{{path, 1, 1, fmt.Sprintf("the file has more than %d KiB", maxSize>>10)}}
	}
	var mistakes []Mistake
	text = strings.TrimPrefix(text, "\ufeff")
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		e, column, what := parseLine(line)
		if what == "" && e.Key != "" {
			if first, again := out.Get(e.Key); again {
				column, what = strings.Index(line, e.Key)+1, fmt.Sprintf("%s is given twice; first on line %d", e.Key, first.Line)
			}
		}
		switch {
		case what != "":
			mistakes = append(mistakes, Mistake{path, i + 1, column, what})
		case e.Key != "":
			e.Line = i + 1
			out.Entries = append(out.Entries, e)
		}
	}
	return out, mistakes
}

// parseLine reads one line. An entry without key is an empty line or a comment.
func parseLine(line string) (e Entry, column int, what string) {
	if !utf8.ValidString(line) || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
		return e, 1, "the line has bytes that are no text"
	}
	at := func(rest string) int { return len(line) - len(rest) + 1 }
	rest := strings.TrimLeft(line, " \t")
	if rest == "" || rest[0] == '#' {
		return e, 0, ""
	}
	if after, ok := strings.CutPrefix(rest, "export"); ok && strings.TrimLeft(after, " \t") != after {
		rest = strings.TrimLeft(after, " \t")
	}
	n := 0
	for n < len(rest) && (rest[n] == '_' || rest[n] >= 'A' && rest[n] <= 'Z' || rest[n] >= 'a' && rest[n] <= 'z' || n > 0 && rest[n] >= '0' && rest[n] <= '9') {
		n++
	}
	if n == 0 {
		return e, at(rest), `a line is written KEY="value"`
	}
	key, after := rest[:n], strings.TrimLeft(rest[n:], " \t")
	if after == "" || after[0] != '=' {
		return e, at(after), `after the key there is no "="; a line is written KEY="value"`
	}
	rest = strings.TrimLeft(after[1:], " \t")
	value, tail, what := parseValue(rest)
	if what != "" {
		return e, at(rest), what
	}
	tail = strings.TrimLeft(tail, " \t")
	if tail != "" && tail[0] != '#' {
		return e, at(tail), "something stands after the value"
	}
	return Entry{Key: key, Value: value}, 0, ""
}

// parseValue reads a value in double quotes, single quotes or none.
func parseValue(s string) (value, rest, what string) {
	const computed = "the file is read and not run: variables and commands are not replaced"
	if s == "" || s[0] == '#' {
		return "", "", ""
	}
	switch s[0] {
	case '\'':
		v, after, ok := strings.Cut(s[1:], "'")
		if !ok {
			return "", "", "the quotation mark is not closed"
		}
		return v, after, ""
	case '"':
		var b strings.Builder
		for i := 1; i < len(s); i++ {
			switch c := s[i]; c {
			case '"':
				return b.String(), s[i+1:], ""
			case '$', '`':
				return "", "", computed
			case '\\':
				if i+1 < len(s) && strings.IndexByte("\"\\$`", s[i+1]) >= 0 {
					i++
					c = s[i]
				}
				b.WriteByte(c)
			default:
				b.WriteByte(c)
			}
		}
		return "", "", "the quotation mark is not closed"
	}
	n := strings.IndexAny(s, " \t")
	if n < 0 {
		n = len(s)
	}
	if i := strings.IndexAny(s[:n], "$`()"); i >= 0 {
		return "", "", computed
	}
	if i := strings.IndexAny(s[:n], "\"'\\;&|<>*?[]{}~!"); i >= 0 {
		return "", "", fmt.Sprintf("a value with %q belongs between quotation marks", s[i:i+1])
	}
	return s[:n], s[n:], ""
}

// Get returns the entry of a key.
func (f *File) Get(key string) (Entry, bool) {
	for _, e := range f.Entries {
		if e.Key == key {
			return e, true
		}
	}
	return Entry{}, false
}
