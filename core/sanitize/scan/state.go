package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Mode says what kind of secret the line before left open.
type Mode uint8

// Modes.
const (
	Normal    Mode = iota
	InPEM          // in a private key, until END or a line that is no base64
	InPublic       // in a certificate or public key: lines stay
	InBlock        // in a YAML block scalar: deeper indented lines
	InSeq          // below a sensitive key: items of a list
	InLines        // a counted number of lines (PuTTY's Private-Lines)
	InElement      // in the text of an XML element, until a tag
	InTriple       // in a string with triple quotes
	InUsers        // in a list of user:password lines (chpasswd)
	InNext         // the next line with text holds the value
	InLong         // in a value that is longer than the buffer
	InData         // below data: of a Kubernetes Secret
	InTable        // in the rows of a table; Quote is the delimiter, Left the number of columns
	InVault        // in the hex digits of an Ansible vault
	InPeople       // in a table of processes; Left is the column of the account
	InCommand      // in a command that goes on; Indent is its program
	InFile         // in a file that a heading named; Quote is its form
	InKeys         // in a map of nginx from secrets to something else
	InArray        // in a list of strings, a line for each
	InHere         // in a here-document; Columns is its marker
	InSection      // in a section of accounts of an INI file
	InMap          // in a map that collects secrets
)

// State is all that is remembered from line to line.
type State struct {
	Mode   Mode
	Quote  byte // quote that ends the value, where there is one
	Kind   keyname.Kind
	Indent int // of the key that opened the block
	Left   int // lines that may still come
	// Columns of the table that hold secrets.
	Columns uint64
	// Accounts and Machines are columns of a table whose rows say whose they are.
	Accounts, Machines uint64

	Secret uint8 // Kubernetes: 1 this document is a Secret, 2 it is something else
}

const maxPEMLines = 2000

// stateLine deals with a line that continues something. False means that the
// line is to be scanned as usual too.
func (s *Scanner) stateLine() bool {
	st := &s.State
	line := s.buf[s.ls:s.le]
	body := bytes.TrimLeft(line, " \t")
	indent := len(line) - len(body)
	from := s.ls + indent
	switch st.Mode {
	case InPEM:
		return s.pemLine()
	case InPublic:
		if st.Left--; st.Left < 0 || bytes.Contains(line, []byte("-----END")) || bytes.Contains(line, []byte("---- END")) {
			s.leave()
			return st.Left >= 0
		}
		core := pemCore(line)
		if len(core) > 0 && isBase64(core) {
			return true
		}
		if len(body) == 0 || bytes.IndexByte(body, ':') > 0 {
			return false
		}
		s.leave()
		return false
	case InBlock, InUsers:
		if len(body) == 0 {
			return true
		}
		if indent <= st.Indent {
			s.leave()
			return false
		}
		if st.Mode == InUsers {
			if ok := s.userPair(from, s.le); ok || st.Indent >= 0 {
				return ok
			}
			s.leave() // the end of a here-document
			return false
		}
		if s.looksPEM(body) {
			return false
		}
		s.hideText(from, s.le, st.Kind, "yaml-block")
		return true
	case InSeq:
		if len(body) == 0 {
			return true
		}
		if indent < st.Indent || body[0] != '-' || len(body) < 2 || body[1] != ' ' {
			s.leave()
			return false
		}
		v := bytes.TrimLeft(body[1:], " ")
		at := s.le - len(v)
		if i := bytes.Index(v, []byte(": ")); i > 0 || bytes.HasSuffix(v, []byte(":")) {
			return false
		}
		if st.Kind == keyname.Secret && isIdent(v) && !isDigit(v[len(v)-1]) && bytes.IndexAny(v, "_-") > 0 && lowerName(v) {
			return false // the names of secrets
		}
		s.value(at, want{class: keyname.Strong, kind: st.Kind, rule: "yaml-list", toEnd: true})
		return false
	case InLines:
		if st.Left--; st.Left <= 0 {
			defer s.leave()
		}
		s.hideText(from, s.le, st.Kind, "private-lines")
		return true
	case InElement:
		if len(body) > 8 && body[0] == '<' && (valueWord(body[1:]) > 0 || st.Quote == 1 && keyTag(body)) {
			s.leave() // <AdministratorPassword>, and <Value>x</Value> below
			if b := bytes.IndexByte(body, '>'); b > 0 {
				if e := bytes.IndexByte(body[b:], '<'); e > 1 {
					s.judge(from+b+1, from+b+e, want{class: keyname.Strong, kind: keyname.Password, rule: "xml-element"}, true)
				}
			}
			return false
		}
		i := bytes.IndexByte(body, '<')
		if i < 0 {
			i = len(body)
		} else {
			defer s.leave()
		}
		if st.Left--; st.Left <= 0 {
			defer s.leave()
		}
		if t := bytes.TrimRight(body[:i], " \t"); len(t) > 0 && t[0] != '#' && !s.spare(t, keyname.Strong) {
			s.hide(from, from+len(t), st.Kind, "xml-element")
		}
		return false
	case InTriple:
		q := []byte{st.Quote, st.Quote, st.Quote}
		i := bytes.Index(line, q)
		if i < 0 {
			s.hideText(from, s.le, st.Kind, "multi-line")
			return true
		}
		s.hideText(from, s.ls+i, st.Kind, "multi-line")
		s.leave()
		return true
	case InNext:
		if len(body) == 0 {
			if st.Left--; st.Left <= 0 {
				s.leave()
			}
			return false
		}
		kind := st.Kind
		keep := st.Indent
		coded, form, word, goesOn := st.Quote == 'b', st.Quote == 'f', st.Quote == 'w', st.Quote == 'v'
		switch st.Quote {
		case 'o':
			s.leave()
			s.shown(from)
			return false
		case 'n':
			s.leave()
			if bytes.IndexByte(body, ' ') < 0 {
				s.hideText(from, s.le, kind, "next-line")
			}
			return false
		case 'r':
			s.leave()
			s.replied(kind)
			return false
		}
		s.leave()
		if e := bytes.IndexByte(body, ' '); goesOn && e > 0 && isSpace(body[e]) && quoteAt(s.buf, from, s.le) == 0 {
			s.hideText(from, from+e, kind, "next-line") // --password=\
			return false
		}
		if word {
			if t := bytes.TrimRight(body, " \t"); bytes.IndexByte(t, ' ') < 0 && looksSecret(t) && !isPath(t) {
				s.hideText(from, s.le, kind, "next-line")
			}
			return false
		}
		if form {
			s.hideText(from, s.le, kind, "form-data")
			return true
		}
		if coded {
			s.answer()
			return false
		}
		s.nextLine(from, indent, keep, kind)
		return false
	case InData:
		if len(body) == 0 || body[0] == '#' {
			return false
		}
		if indent <= st.Indent {
			s.leave()
			return false
		}
		if st.Left == 0 {
			st.Left = indent // of the keys
		}
		if indent > st.Left {
			s.hideText(from, s.le, keyname.Secret, "kubernetes-secret")
			return true
		}
		if i := bytes.Index(body, []byte(":")); i > 0 && i+1 < len(body) {
			v := nonSpace(s.buf, from+i+1, s.le)
			switch {
			case v >= s.le || blockHeader(s.buf[v:s.le]) && (s.buf[v] == '|' || s.buf[v] == '>'):
			case quoteAt(s.buf, v, s.le) > 0:
				s.value(v, want{class: keyname.Strong, kind: keyname.Secret, rule: "kubernetes-secret"})
			default:
				s.hideText(v, s.le, keyname.Secret, "kubernetes-secret")
			}
			return true
		}
		return false
	case InTable:
		s.row()
		return false
	case InVault:
		return s.vaultLine()
	case InPeople:
		s.process()
		return false
	case InCommand:
		s.commandGoesOn()
		return false
	case InFile:
		s.fileLine(body)
		return false
	case InKeys:
		s.mapLine(body)
		return false
	case InHere:
		return s.hereLine(body)
	case InArray:
		return s.arrayLine(body)
	case InMap:
		return s.collectionLine(body, indent, from)
	case InSection:
		s.sectionLine(body)
		return false
	case InLong:
		s.longLine()
		return false
	}
	return false
}

func (s *Scanner) leave() {
	s.State = State{Secret: s.State.Secret}
}

func (s *Scanner) enter(m Mode, kind keyname.Kind, indent, left int, quote byte) {
	s.State = State{Mode: m, Kind: kind, Indent: indent, Left: left, Quote: quote, Secret: s.State.Secret}
}

// hideText hides the text between two places, without the white space around
// it, unless it is a reference or masked already.
func (s *Scanner) hideText(from, to int, kind keyname.Kind, rule Rule) {
	for to > from && (s.buf[to-1] == ' ' || s.buf[to-1] == '\t') {
		to--
	}
	for from < to && (s.buf[from] == ' ' || s.buf[from] == '\t') {
		from++
	}
	if from < to && !s.spare(s.buf[from:to], keyname.Strong) {
		s.hide(from, to, kind, rule)
	}
}

// userPair hides the password of user:password.
func (s *Scanner) userPair(from, to int) bool {
	v := s.buf[from:to]
	v = bytes.TrimPrefix(v, []byte("- "))
	from = to - len(v)
	i := bytes.IndexByte(v, ':')
	if i <= 0 || i+1 >= len(v) || bytes.IndexByte(v[:i], ' ') >= 0 || v[i+1] == ' ' || len(bytes.TrimSpace(v[i+1:])) == 0 {
		return false
	}
	if s.Identify {
		s.addAccount(from, from+i)
	}
	s.hideText(from+i+1, to, keyname.Password, "user-password")
	return true
}

// nextLine takes the value of a key that stood at the end of the line before.
func (s *Scanner) nextLine(from, indent, keyIndent int, kind keyname.Kind) {
	v := s.buf[from:s.le]
	if v[0] == '-' && len(v) > 1 && v[1] == ' ' && indent >= keyIndent {
		s.enter(InSeq, kind, indent, 0, 0)
		s.stateLine()
		return
	}
	if q := v[0]; q == '"' || q == '\'' || q == '`' || q == '(' {
		if len(v) > 2 && v[1] == q && v[2] == q && s.source {
			return // what a function or class is for
		}
		s.value(from, want{class: keyname.Strong, kind: kind, rule: "next-line"})
		return
	}
	if len(v) > 9 && string(v[:7]) == "string(" {
		s.value(from, want{class: keyname.Strong, kind: kind, rule: "next-line"})
		return
	}
	if s.source {
		return
	}
	// A word of its own that looks like no prose; deeper than its key, it can
	// only be the value.
	if indent > keyIndent && !bytes.ContainsAny(v, " \t:=<>{}[]()#,;") && len(v) > 3 && !s.spare(v, keyname.Strong) && !isPath(v) && v[0] != '-' && v[0] != '@' && v[0] != '*' && v[0] != '/' {
		s.hide(from, s.le, kind, "next-line")
		return
	}
	if bytes.IndexByte(v, ' ') < 0 && bytes.IndexByte(v, ':') < 0 && bytes.IndexByte(v, '=') < 0 && looksRandom(v) {
		s.hide(from, s.le, kind, "next-line")
	}
}

// answer hides the last word of a line that a mail server asked for in base64.
func (s *Scanner) answer() {
	b := s.le
	for b > s.ls && !isSpace(s.buf[b-1]) {
		b--
	}
	if v := s.buf[b:s.le]; len(v) >= 4 && isBase64(v) {
		s.hide(b, s.le, keyname.Password, "mail-login")
	}
}

// longLine goes on hiding a value that did not end in the piece before.
func (s *Scanner) longLine() {
	if s.State.Left > 1 {
		s.foldedLine()
		return
	}
	from := s.ls
	if s.State.Left == 1 { // a line that a backslash continues, not a piece of one
		from = nonSpace(s.buf, s.ls, s.le)
	}
	end := s.valueStop(from, s.le, s.State.Quote)
	if s.State.Left == 1 && end > from {
		s.Spans = append(s.Spans, Span{Start: from, End: end, Kind: s.State.Kind, Rule: "long-value"})
		if end == s.le && s.buf[end-1] == '\\' && !s.cut {
			s.Spans[len(s.Spans)-1].End--
			return
		}
	} else if end > s.ls {
		s.Spans = append(s.Spans, Span{Start: s.ls, End: end, Kind: s.State.Kind, Rule: "long-value", Cont: true})
	}
	if end < s.le || !s.cut {
		s.leave()
	}
}

// foldedLine hides a further line of a string that YAML folds.
func (s *Scanner) foldedLine() {
	from := nonSpace(s.buf, s.ls, s.le)
	end := s.valueStop(from, s.le, s.State.Quote)
	s.hideText(from, end, s.State.Kind, "long-value")
	if s.State.Left--; end < s.le || s.State.Left <= 1 {
		s.leave()
	}
}

func (s *Scanner) valueStop(from, to int, quote byte) int {
	for i := from; i < to; i++ {
		c := s.buf[i]
		if quote != 0 {
			if c == '\\' {
				i++
				continue
			}
			if c == quote {
				return i
			}
			continue
		}
		switch c {
		case ' ', '\t', '"', '\'', '<', '>', ',', ';', '&':
			return i
		}
	}
	return to
}
