package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/encoding"
	"github.com/latchstring/latchstring/core/sanitize/keyname"
	"github.com/latchstring/latchstring/core/sanitize/mask"
)

// Reach is how far, in bytes, a rule may look beyond the ends of its line. The
// caller keeps that much text on both sides in the buffer.
const Reach = 4096

// Rule names what found a span; the report counts by it.
type Rule string

// Span is a part of the buffer that must be hidden.
type Span struct {
	Start, End int
	Kind       keyname.Kind
	Rule       Rule
	// Quote asks for quotes around the token: the secret was a bare number or
	// word in JSON.
	Quote bool
	// Cont: the span goes on from the one before it, which has the token.
	Cont bool
}

// Scanner finds secrets. It is not safe for concurrent use; make one for each
// stream. The zero value is not usable: see [New].
type Scanner struct {
	// Spans collects what was found, not sorted, possibly overlapping. The
	// caller empties it.
	Spans []Span
	// State is what earlier lines left behind.
	State State
	// Idents collects identifiers, if Identify is set; like Spans, and in
	// addition to them.
	Idents   []Ident
	Identify bool
	// Names is what the machine is called; nil for nothing.
	Names *Names
	// UserKeys are names whose values are hidden besides those that are known.
	UserKeys []string
	// Kernel makes the masks.
	Kernel mask.Kernel
	// Tokens finds secrets by their shape in a run of token characters
	// buf[start:end]. It may look around in the line buf[from:to], up to
	// [TokenContext] before the run, and returns where the first one begins and
	// ends. near is false if no word such as key or token is there. Bits of alnum
	// and digit are the letters and digits, and the digits, of a run of 64 bytes
	// at most; alnum is zero if they are not known.
	Tokens func(buf []byte, from, to, start, end int, near bool, alnum, digit uint64) (int, int, string, bool)

	buf      []byte
	ls, le   int  // the line, without its end
	lo, hi   int  // how far rules may look
	cut      bool // the line goes on behind le: it was too long
	keyEnd   int  // names up to here were dealt with
	form     form
	toldAt   int // behind the name of a secret that a sentence may tell, or 0
	toldFrom int // where that name begins
	// toldForeign: it is a word of another language than English
	toldForeign bool
	source      bool  // the text of a program
	fresh       bool  // nothing was scanned yet
	hits        []hit // in the line
	lineRuns    []int // those of runs in the line
	// runAlnum and runDigit are the letters and digits of a run, and its digits, a
	// bit for each character; zero for one that is too long, or has no masks.
	runAlnum, runDigit uint64
	all                []hit // in the window
	places             places
	maybe              [batch * mask.Size]candidate
	late               []hit    // room for mergeHits
	pairs              [][2]int // room for colonized
	order              order
	runs               []int      // places inside long runs of token characters
	masks              mask.Masks // of the window, which begins at origin and has filled blocks
	found              mask.Found
	filled             int
	origin             int
	returns            bool    // there is a carriage return in the window
	masked             bool    // the line is one of the window's
	args               [96]arg // of the command in the line
	spill              []byte
	// base64 is decoded into decoded and scanned by inner, twice at most
	depth   int
	inner   *Scanner
	decoded []byte
	view    encoding.View
	dump    *dump
	memo    memo
	known   known
	asked   *Names // whose names are known
	quiet   quiet
}

// New returns a Scanner in the state of a fresh file.
func New() *Scanner {
	return &Scanner{Kernel: mask.Best()}
}

// Reset makes the scanner ready for another file. Its name, if there is one,
// tells a few formats that have no key names.
func (s *Scanner) Reset(name string) {
	s.Spans, s.Idents = s.Spans[:0], s.Idents[:0]
	s.form = formOf(name)
	s.source, s.fresh = sourceName(name), true
	s.State = State{}
}

// Line scans one line by itself: what [Scanner.Scan] does, without masks.
func (s *Scanner) Line(buf []byte, start, end int) {
	s.hits = appendHits(nil, buf, start, end)
	s.lineRuns = appendRuns(nil, buf, start, end)
	s.line(buf, start, end)
}

// line scans buf[start:end], one line without its line feed, or a piece of a
// line that is too long. Text around it in buf may be looked at; spans may lie
// there too, up to [Reach] bytes away.
func (s *Scanner) line(buf []byte, start, end int) {
	for end > start && buf[end-1] == '\r' {
		end--
	}
	if (s.returns || !s.masked) && s.depth < 2 && bytes.IndexByte(buf[start:end], '\r') >= 0 {
		s.pieces(buf, start, end)
		return
	}
	s.buf, s.ls, s.le = buf, start, end
	s.lo, s.hi = max(0, start-Reach), min(len(buf), end+Reach)
	s.keyEnd = start
	s.cut = end < len(buf) && buf[end] != '\n' && buf[end] != '\r'
	if s.State.Mode != Normal && s.stateLine() {
		return
	}
	command, document, invisible := false, false, false
	before := len(s.Spans)
	s.toldAt, s.toldForeign = 0, false
	for _, h := range s.hits {
		switch stemTable[h.stem].what {
		case stemKey:
			s.key(h)
		case stemCommand:
			command = true
		case stemURL:
			s.url(h.pos)
		case stemURLCoded:
			s.codedURL(h.pos)
		case stemPEM:
			s.pem(h.pos)
		case stemHash:
			s.cryptHash(h.pos)
		case stemSQL:
			s.identified(h.pos)
		case stemMail:
			s.dsn(h.pos)
		case stemAccount:
			if s.Identify {
				s.account(h.pos, h.stem)
			}
			if h.stem == userWordStem {
				s.besideUser(h.pos)
			}
		case stemShort:
			s.shortToken(h.pos)
		case stemDoc:
			document = document || h.pos == start || isSpace(buf[h.pos-1]) || buf[h.pos-1] == '-'
		case stemInvisible:
			invisible = true
		case stemLine:
			s.pgpass()
			s.relay(h.pos)
		case stemEscape:
			s.escapedKey(h.pos)
		case stemCall:
			s.callHit(h.pos, len(stemTable[h.stem].text))
		case stemChars:
			s.charArray(h.pos)
		case stemFrame:
			s.frame(h.pos, h.pos+len(stemTable[h.stem].text))
		case stemJWK:
			s.webKey(h.pos)
		case stemACL:
			s.aclSecrets()
		case stemTime:
			s.timeKey()
		case stemVault:
			s.enter(InVault, keyname.Secret, 0, 0, 0)
		case stemPhrase:
			s.phrase(h.pos, stemTable[h.stem].text)
		case stemCoded:
			s.codedKey(h.pos)
		case stemIssuer:
			s.issuer(h.pos, len(stemTable[h.stem].text))
		case stemSection:
			s.section(h.pos, len(stemTable[h.stem].text))
		case stemThin:
			s.thin(h.pos + len("e:thin:"))
		}
	}
	if s.toldAt > 0 && !s.hiddenBehind(before, s.toldAt) {
		s.told(s.toldAt)
	}
	if command {
		s.command()
	}
	if len(s.hits) > 0 && s.State.Mode == Normal && !isDigit(buf[start]) && end-start > 6 && buf[start+3] != ' ' {
		s.showing() // not behind the time of a log: Jan 11
	}
	s.shapes()
	if invisible && s.depth == 0 {
		s.seen()
	}
	if s.form != formText {
		s.fields()
	}
	if document {
		s.documents()
	}
	if s.depth == 0 && mayBeDump(buf[start:end]) {
		s.hexdump()
	}
	if len(s.Spans) > before {
		s.twins(before)
	}
}

// pieces scans a line with carriage returns inside as the lines they end.
func (s *Scanner) pieces(buf []byte, start, end int) {
	hits, runs := s.hits, s.lineRuns
	for start < end {
		e := end
		if i := bytes.IndexByte(buf[start:end], '\r'); i >= 0 {
			e = start + i
		}
		h, r := 0, 0
		for h < len(hits) && hits[h].pos < e {
			h++
		}
		for r < len(runs) && runs[r] < e {
			r++
		}
		s.hits, s.lineRuns = hits[:h], runs[:r]
		if h > 0 || r > 0 || s.State.Mode != Normal || s.form != formText {
			s.line(buf, start, e)
		}
		hits, runs = hits[h:], runs[r:]
		start = e + 1
	}
}

func (s *Scanner) hide(start, end int, kind keyname.Kind, rule Rule) {
	if end <= start || isToken(s.buf[start:end]) {
		return
	}
	s.Spans = append(s.Spans, Span{Start: start, End: end, Kind: kind, Rule: rule})
}
