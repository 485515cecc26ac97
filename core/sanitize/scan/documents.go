package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// documents follows the few kinds of files whose meaning is said once for many
// lines: Kubernetes Secrets and PuTTY keys.
func (s *Scanner) documents() {
	line := s.buf[s.ls:s.le]
	if len(line) < 3 {
		return
	}
	switch line[0] {
	case '-':
		if bytes.HasPrefix(line, []byte("---")) && len(bytes.TrimSpace(line)) == 3 {
			s.State.Secret = 0
		}
	case 'P':
		if bytes.HasPrefix(line, []byte("Private-Lines: ")) {
			n := 0
			for _, c := range line[15:] {
				if !isDigit(c) || n > 10000 {
					break
				}
				n = n*10 + int(c-'0')
			}
			if n > 0 {
				s.enter(InLines, privateKind, 0, n, 0)
			}
		}
	}
	body := bytes.TrimLeft(line, " \t-")
	if len(body) < 5 {
		return
	}
	indent := len(line) - len(body)
	switch {
	case bytes.HasPrefix(body, []byte("kind:")):
		if bytes.Equal(bytes.TrimSpace(body[5:]), []byte("Secret")) {
			s.State.Secret = 1
		} else {
			s.State.Secret = 2
		}
	case s.State.Mode == Normal && (bytes.Equal(bytes.TrimRight(body, " "), []byte("data:")) || bytes.Equal(bytes.TrimRight(body, " "), []byte("stringData:"))):
		if s.State.Secret == 1 || s.State.Secret == 0 && s.secretAhead(indent) {
			s.enter(InData, keyname.Secret, indent, 0, 0)
		}
	}
}

// secretAhead looks for `kind: Secret` behind data:, where kubectl puts it.
func (s *Scanner) secretAhead(indent int) bool {
	ahead := s.buf[s.le:s.hi]
	if i := bytes.Index(ahead, []byte("\n---")); i >= 0 {
		ahead = ahead[:i]
	}
	i := bytes.Index(ahead, []byte("kind: Secret"))
	if i < 1 {
		return false
	}
	e := i + len("kind: Secret")
	if e < len(ahead) && ahead[e] != '\n' && ahead[e] != '\r' {
		return false
	}
	j := i
	for j > 0 && (ahead[j-1] == ' ' || ahead[j-1] == '-') {
		j--
	}
	return i-j == indent && (j == 0 || ahead[j-1] == '\n')
}
