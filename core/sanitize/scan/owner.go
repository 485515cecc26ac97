package scan

import "bytes"

// owner takes whose the password is whose name begins at ks, where the same
// object or connection string says so:
//
//	{"users": [{"name": "jdoe", "password_hash": "x"}]}   <user name="jdoe" password="x"/>
//	Server=db7;Uid=jdoe;Pwd=x
func (s *Scanner) owner(ks int) {
	from := max(s.ls, ks-300)
	before := s.buf[from:ks]
	if bytes.IndexByte(before, ';') > 0 || bytes.IndexByte(s.buf[ks:min(s.le, ks+80)], ';') > 0 {
		s.connection(from, ks)
	}
	i := max(bytes.LastIndexByte(before, '{'), bytes.LastIndexByte(before, '<'))
	if i < 0 || bytes.ContainsAny(before[i:], "}>") {
		return
	}
	hint := s.buf[max(s.ls, from+i-200) : from+i]
	if before[i] == '<' {
		hint = before[i:min(len(before), i+16)]
	}
	if !containsFold(hint, "user") && !containsFold(hint, "account") && !containsFold(s.buf[ks:min(s.le, ks+20)], "hash") {
		return
	}
	for p := from + i + 1; p+6 < ks; p++ {
		if s.buf[p]|0x20 != 'n' || !foldEqual(s.buf[p:p+4], "name") || isAlnum(s.buf[p-1]) || s.buf[p-1] == '_' {
			continue
		}
		e := nonSpace(s.buf, p+4+quoteAt(s.buf, p+4, ks), ks)
		if e >= ks || s.buf[e] != ':' && s.buf[e] != '=' {
			continue
		}
		e = nonSpace(s.buf, e+1, ks)
		e += quoteAt(s.buf, e, ks)
		n := e
		for n < ks && isAccountChar(s.buf[n]) {
			n++
		}
		if n < ks && bytes.IndexByte([]byte("\"', }/"), s.buf[n]) >= 0 {
			s.addAccount(e, n)
		}
		return
	}
}

// connection takes the account and the machine of the connection string around
// the name at ks.
func (s *Scanner) connection(from, ks int) {
	b, e := ks, ks
	for b > from && s.buf[b-1] != '"' && s.buf[b-1] != '\'' && s.buf[b-1] != '>' {
		b--
	}
	for e < s.le && e < ks+300 && s.buf[e] != '"' && s.buf[e] != '\'' && s.buf[e] != '<' {
		e++
	}
	for p := b; p < e; {
		n := e
		if i := bytes.IndexByte(s.buf[p:e], ';'); i >= 0 {
			n = p + i
		}
		i := bytes.IndexByte(s.buf[p:n], '=')
		if p == b {
			i = bytes.LastIndexByte(s.buf[p:n], '=') // the string may be the value of something
		}
		if i > 1 {
			name, v := s.buf[p:p+i], p+i+1
			if j := bytes.LastIndexByte(name, '='); j >= 0 {
				name = name[j+1:]
			}
			name = bytes.TrimSpace(name)
			switch {
			case foldIs(name, "uid") || foldIs(name, "user id") || foldIs(name, "user") || foldIs(name, "username") || foldIs(name, "userid"):
				s.whomArg(nonSpace(s.buf, v, n), n)
			case foldIs(name, "server") || foldIs(name, "data source") || foldIs(name, "host") || foldIs(name, "hostname") || foldIs(name, "address") || hasFoldSuffix(name, " source") || hasFoldSuffix(name, " server"):
				v = nonSpace(s.buf, v, n)
				if n-v > 4 && foldEqual(s.buf[v:v+4], "tcp:") {
					v += 4
				}
				s.whereArg(v, n)
			}
		}
		p = n + 1
	}
}

func hasFoldSuffix(v []byte, t string) bool {
	return len(v) >= len(t) && foldEqual(v[len(v)-len(t):], t)
}
