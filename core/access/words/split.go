package words

import (
	"regexp"
	"strings"
)

// A Word is one argument.
type Word struct {
	Text    string // without quotes
	Pattern string // with a backslash before what was quoted; equal in meaning to Text if Glob is false
	Glob    bool   // there are unquoted signs of a pattern
	Home    bool   // began with ~ or ~/, which is cut off
}

// signs are what a shell gives a meaning to outside of quotes.
const signs = ";&|`$<>(){}\n\r\x00!"

// Split splits a plain command line. It returns false for any other one.
func Split(line string) ([]Word, bool) {
	var all []Word
	for i := 0; i < len(line); {
		if line[i] == ' ' || line[i] == '\t' {
			i++
			continue
		}
		w, next, ok := word(line, i)
		if !ok {
			return nil, false
		}
		all = append(all, w)
		i = next
	}
	return all, len(all) > 0
}

func word(line string, i int) (w Word, next int, ok bool) {
	var text, pattern strings.Builder
	add := func(c byte, quoted bool) {
		text.WriteByte(c)
		if quoted && strings.IndexByte(`*?[]\-^!`, c) >= 0 {
			pattern.WriteByte('\\')
		}
		pattern.WriteByte(c)
	}
	start := i
	if line[i] == '#' {
		return w, 0, false
	}
	if line[i] == '~' {
		i++
		w.Home = true
		if i < len(line) && line[i] == '/' {
			i++
		} else if i < len(line) && line[i] != ' ' && line[i] != '\t' {
			return w, 0, false // the home of somebody else
		}
	}
	for i < len(line) {
		c := line[i]
		switch {
		case c == ' ' || c == '\t':
			w.Text, w.Pattern = text.String(), pattern.String()
			return w, i, true
		case c == '\'':
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				return w, 0, false
			}
			for _, q := range []byte(line[i+1 : i+1+end]) {
				if q == 0 {
					return w, 0, false
				}
				add(q, true)
			}
			i += end + 2
		case c == '"':
			for i++; ; i++ {
				if i >= len(line) || line[i] == '$' || line[i] == '`' || line[i] == 0 || line[i] == '!' {
					return w, 0, false
				}
				if line[i] == '"' {
					break
				}
				if line[i] == '\\' && i+1 < len(line) && strings.IndexByte("\\\"$`", line[i+1]) >= 0 {
					i++
				}
				add(line[i], true)
			}
			i++
		case c == '\\':
			if i+1 >= len(line) || line[i+1] == '\n' || line[i+1] == 0 {
				return w, 0, false
			}
			add(line[i+1], true)
			i += 2
		case strings.IndexByte(signs, c) >= 0:
			return w, 0, false
		default:
			if c == '*' || c == '?' || c == '[' {
				w.Glob = true
			}
			if c == '=' && i == start { // zsh
				return w, 0, false
			}
			add(c, false)
			i++
		}
	}
	w.Text, w.Pattern = text.String(), pattern.String()
	return w, i, true
}

var servers = regexp.MustCompile(`\bscp\b[^;&|\n]*\s-[a-zA-Z]*[tf]\b|\brsync\b[^;&|\n]*\s--server\b|(^|[;&|(\n]|\bexec|\benv)\s*[^\s;&|]*sftp-server\b`)

// Transfer reports whether a line has a transfer program in it that would move
// files by itself. It is no proof against disguise: who may run any command can
// move bytes by any. It sees to it that what looks like a transfer is one.
func Transfer(line string) bool {
	bare := strings.NewReplacer(`'`, "", `"`, "", `\`, "").Replace(line)
	return servers.MatchString(bare)
}
