package tokens

// A class is a set of bytes, named by one bit of classOf.
type class uint32

const (
	digit class = 1 << iota
	lowerHex
	hex
	lowerDigit
	upperDigit
	alnum
	letter
	word
	base64URL
	base64Std
	base64Any
	dotted
	percent
	pathChar
	pathAt
	crypt
	// runChar are the characters of the runs that Find is asked about.
	runChar
	// foreign are the bytes before a run that say something about it.
	foreign
	// assignee are the characters of a name that something is assigned to.
	assigneeChar
	// bind are those that may stand between such a name and its value.
	bind
	// shortStart are the first bytes of the prefixes of two bytes.
	shortStart
)

var classOf = makeClasses()

func makeClasses() (t [256]class) {
	set := func(c class, ranges string) {
		for i := 0; i < len(ranges); i += 2 {
			for b := int(ranges[i]); b <= int(ranges[i+1]); b++ {
				t[b] |= c
			}
		}
	}
	const an = "09azAZ"
	set(digit, "09")
	set(lowerHex, "09af")
	set(hex, "09afAF")
	set(lowerDigit, "09az")
	set(upperDigit, "09AZ")
	set(alnum, an)
	set(letter, "azAZ")
	set(word, an+"__")
	set(base64URL, an+"__--")
	set(base64Std, an+"++//")
	set(base64Any, an+"++//__==--")
	set(dotted, an+"__--..==")
	set(percent, an+"__--..==%%++//")
	set(pathChar, an+"//++__--")
	set(pathAt, an+"//++__--@@")
	set(crypt, an+"__--..==%%++//::$$@@**")
	set(runChar, an+"__++//==..~~--")
	set(assigneeChar, an+"__--..[[]]")
	for _, b := range []byte(":!|$\\%[;") {
		t[b] |= foreign
	}
	for _, b := range []byte(" \t'\"`>)=:|?,(@\\{[") {
		t[b] |= bind
	}
	for _, b := range shortFirst {
		t[b] |= shortStart
	}
	return t
}

func is(b byte, c class) bool { return classOf[b]&c != 0 }

// span returns the end of the stretch of class c that begins at i.
func span(b []byte, i int, c class) int {
	for i < len(b) && classOf[b[i]]&c != 0 {
		i++
	}
	return i
}

// spanBack returns the start of the stretch of class c that ends before i.
func spanBack(b []byte, i int, c class) int {
	for i > 0 && classOf[b[i-1]]&c != 0 {
		i--
	}
	return i
}
