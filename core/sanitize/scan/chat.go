package scan

import "bytes"

// Questions about a password, and their answers:
//
//	<bob> what's the root pw?       Q: password? A: x7y
//	<eve> x7y

// answerTo takes the answer to a question that names a secret, which ends at ke: the
// rest of the line behind the question mark, or the next line.
func (s *Scanner) answerTo(ke int) bool {
	buf := s.buf
	q := bytes.IndexByte(buf[ke:min(s.le, ke+60)], '?')
	if q < 0 && s.asks() && bytes.Count(buf[ke:s.le], []byte{' '}) < 4 && bytes.IndexByte(buf[ke:s.le], '.') < 0 {
		q = s.le - ke - 1 // whats the root pw again
	}
	if q < 0 {
		return false
	}
	if p := nonSpace(buf, ke+q+1, s.le); p < s.le {
		return s.chatWord(p, s.le)
	}
	p := min(s.le+1, s.hi)
	e := s.hi
	if i := bytes.IndexByte(buf[p:s.hi], '\n'); i >= 0 {
		e = p + i
	}
	return s.chatWord(p, e)
}

// asks is true if the words before the name are those of a question.
func (s *Scanner) asks() bool {
	before := s.buf[s.ls:s.toldFrom]
	for _, t := range [...]string{"whats ", "what's ", "what is ", "what was ", "wat is ", "was ist ", "wie lautet "} {
		if i := indexFold(before, t); i >= 0 && bytes.Count(before[i:], []byte{' '}) < 6 && (i == 0 || isSpace(before[i-1])) {
			return true
		}
	}
	return false
}

// chatWord takes the only word that can be a secret in buf[p:e], behind the time and
// the name of who says it.
func (s *Scanner) chatWord(p, e int) bool {
	buf := s.buf
	e = p + len(bytes.TrimRight(buf[p:e], " \t\r"))
	if e-p > 100 {
		return false
	}
	words := 0
	for p < e {
		p = nonSpace(buf, p, e)
		w := p
		for w < e && !isSpace(buf[w]) {
			w++
		}
		b, t, _ := unquoted(buf, p, w)
		switch last := nonSpace(buf, w, e) >= e; {
		case last && s.tellable(buf[b:t], false):
			s.tell(b, t)
			return true
		case last:
			return false
		case buf[p] == '[' || buf[p] == '<' || buf[p] == '>' || buf[p] == '(' || buf[w-1] == ':' || buf[w-1] == ']' || buf[w-1] == '>':
			// [10:01] bob: <bob>
		case answering.has(buf[b:t]):
			if words++; words > 4 {
				return false
			}
		default:
			return false
		}
		p = w
	}
	return false
}

// answering are words in front of what somebody was asked for.
var answering = listOf("it's", "its", "it", "is", "that's", "try", "use", "sure", "yes", "yep", "still", "should", "be", "i", "think", "the", "one", "same", "here", "ja", "das", "ist", "c'est", "es", "am", "pm")
