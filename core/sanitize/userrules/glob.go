package userrules

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// compileGlob translates a glob: * and ? stay within a path element, **
// crosses them, [abc] [a-z] [!abc] are sets, {a,b} are alternatives, \ quotes.
// A pattern without a slash matches the last element of any path as well.
func compileGlob(glob string) (*regexp.Regexp, error) {
	if glob == "" {
		return nil, errors.New("an empty pattern matches no file")
	}
	var b strings.Builder
	b.WriteString(`^(?s:`)
	if !strings.Contains(glob, "/") {
		b.WriteString(`(?:.*/)?`)
	}
	depth := 0
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '*':
			if strings.HasPrefix(glob[i:], "**/") {
				b.WriteString(`(?:.*/)?`)
				i += 2
			} else if strings.HasPrefix(glob[i:], "**") {
				b.WriteString(`.*`)
				i++
			} else {
				b.WriteString(`[^/]*`)
			}
		case '?':
			b.WriteString(`[^/]`)
		case '[':
			end := strings.IndexByte(glob[i+1:], ']')
			if end < 1 {
				return nil, errors.New("[ without ]")
			}
			set := glob[i+1 : i+1+end]
			i += 1 + end
			b.WriteByte('[')
			if set[0] == '!' || set[0] == '^' {
				b.WriteString(`^/`)
				set = set[1:]
			}
			if set == "" {
				return nil, errors.New("[] matches nothing")
			}
			b.WriteString(strings.NewReplacer(`\`, `\\`, `[`, `\[`, `^`, `\^`).Replace(set))
			b.WriteByte(']')
		case '{':
			depth++
			b.WriteString(`(?:`)
		case '}':
			if depth == 0 {
				return nil, errors.New("} without {")
			}
			depth--
			b.WriteByte(')')
		case ',':
			if depth > 0 {
				b.WriteByte('|')
			} else {
				b.WriteByte(',')
			}
		case '\\':
			if i++; i == len(glob) {
				return nil, errors.New(`\ at the end`)
			}
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	if depth > 0 {
		return nil, errors.New("{ without }")
	}
	b.WriteString(`)$`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("not a pattern: %w", err)
	}
	return re, nil
}
