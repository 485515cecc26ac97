package scan

import "bytes"

// Commands inside of other commands, and in strings of JSON.

// jsonCommands adds the strings of an object of JSON that may be commands.
func (s *Scanner) jsonCommands(a arg, inner [][2]int, found int) int {
	for p := a.vs; p < a.ve && found < len(inner); p++ {
		if s.buf[p] == '[' && p+1 < a.ve && s.buf[p+1] == '"' {
			if n := bytes.IndexByte(s.buf[p:a.ve], ']'); n > 0 { // ["mysql","-px"]
				inner[found] = [2]int{p, p + n + 1}
				found++
			}
			continue
		}
		if s.buf[p] != '"' {
			continue
		}
		n := closing(s.buf[p+1:a.ve], '"')
		if n < 0 {
			n = a.ve - p - 1
		}
		if t := s.buf[p+1 : p+1+n]; n > 8 && bytes.IndexByte(t, ' ') >= 0 && s.mayHoldCommand(t) {
			inner[found] = [2]int{p + 1, p + 1 + n}
			found++
		}
		p += n + 1
	}
	return found
}

// called is true for a function with a string: os.system("mysql ...
func called(t []byte) bool {
	i := bytes.IndexByte(t, '(')
	return i > 0 && i+1 < len(t) && (t[i+1] == '"' || t[i+1] == '\'') && isAlnum(t[i-1])
}

// mayHoldCommand is true for a string that may be a command with a secret.
func (s *Scanner) mayHoldCommand(t []byte) bool {
	if bytes.Contains(t, []byte(" -")) || bytes.Contains(t, []byte("COMMAND=")) || bytes.Contains(t, []byte("<<<")) || bytes.IndexByte(t, '|') > 0 {
		return true
	}
	e := bytes.IndexByte(t, ' ')
	name := t[bytes.LastIndexByte(t[:max(e, 0)], '/')+1 : max(e, 0)]
	f := programNamed[string(name)]
	return f != nil && (f.sub != nil || f.name == "passwd")
}
