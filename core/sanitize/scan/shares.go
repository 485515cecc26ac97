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
	for _, t := range []string{"localhost", "server", "host", "hostname", "computer", "unc"} {
		if foldIs(buf[p:e], t) {
			return // of a manual
		}
	}
	if allDigits(buf[p:e]) {
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
