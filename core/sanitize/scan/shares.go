package scan

// Names of Windows: \\host\share, and the domain that stands before an account.

// share takes the machine of \\host\share, whose second backslash is before p.
func (s *Scanner) share(p int) {
	buf := s.buf
	sep := 1
	if p+1 < s.le && buf[p] == '\\' && buf[p+1] == '\\' {
		p, sep = p+2, 2 // in a string
	}
	e := p
	for e < s.le && (isAlnum(buf[e]) || buf[e] == '-' || buf[e] == '_') {
		e++
	}
	if e-p < 2 || e-p > 63 || e+sep >= s.le || buf[e] != '\\' || !isAlnum(buf[e+sep]) && buf[e+sep] != '$' && buf[e+sep] != '_' || sep == 2 && buf[e+1] != '\\' {
		return
	}
	if digits := allDigits(buf[p:e]); digits || foldIs(buf[p:e], "localhost") {
		return
	}
	s.ident(p, e, Host)
}

func allDigits(v []byte) bool {
	for _, c := range v {
		if !isDigit(c) {
			return false
		}
	}
	return true
}
