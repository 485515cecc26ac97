package sweep

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A Form says in which spelling a secret was found.
type Form uint8

// The forms, in the order in which a report would name them.
const (
	Raw    Form = iota // as it is, or a hex value in the other case
	URL                // percent-encoded
	JSON               // escaped for a JSON string
	XML                // escaped for XML or HTML
	Shell              // quoted for a shell
	Base64             // one of three alignments, standard or URL alphabet
	Hex                // two digits a byte
	UTF16              // two bytes a character, low byte first
)

var formNames = [...]string{"raw", "url", "json", "xml", "shell", "base64", "hex", "utf-16"}

// String returns the name of the form.
func (f Form) String() string {
	if int(f) < len(formNames) {
		return formNames[f]
	}
	return "unknown"
}

// spelling is one form of a literal.
type spelling struct {
	text string
	form Form
}

// spellings returns the distinct forms of a secret. Forms shorter than eight
// bytes are dropped, except the raw one.
func spellings(secret []byte) []spelling {
	s := string(secret)
	out := make([]spelling, 0, 12)
	add := func(form Form, texts ...string) {
		for _, t := range texts {
			if len(t) < longForm && form != Raw {
				continue
			}
			if !slices.ContainsFunc(out, func(have spelling) bool { return have.text == t }) {
				out = append(out, spelling{t, form})
			}
		}
	}
	add(Raw, s)
	if isHexLike(s) {
		add(Raw, strings.ToLower(s), strings.ToUpper(s), strings.ReplaceAll(s, "-", ""))
	}
	add(URL, urlForms(s)...)
	add(JSON, jsonForms(s)...)
	add(XML, xmlForms(s)...)
	add(Shell, shellForms(s)...)
	for shift := range 3 {
		add(Base64, base64Core(secret, shift, base64.RawStdEncoding), base64Core(secret, shift, base64.RawURLEncoding))
	}
	lower := hex.EncodeToString(secret)
	add(Hex, lower, strings.ToUpper(lower))
	// UTF-16 inside of other text, and in base64 as PowerShell's encoded
	// commands are. A secret starts at an even byte there: all alignments.
	wide := utf16LE(s)
	add(UTF16, string(wide))
	for shift := range 3 {
		add(Base64, base64Core(wide, shift, base64.RawStdEncoding))
	}
	return out
}

func utf16LE(s string) []byte {
	out := make([]byte, 0, 2*len(s))
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// base64Core returns the characters of the encoding of a longer text that
// depend on secret alone, when secret starts shift bytes behind a multiple of
// three.
func base64Core(secret []byte, shift int, enc *base64.Encoding) string {
	padded := append(make([]byte, shift, shift+len(secret)), secret...)
	text := enc.EncodeToString(padded)
	from := (8*shift + 5) / 6
	to := 8 * len(padded) / 6
	return text[from:to]
}

// percent encodes every byte that keep rejects.
func percent(s, digits string, keep func(c byte) bool) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; keep(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}

// urlForms: encoders differ in what they leave alone.
func urlForms(s string) []string {
	unreserved := func(c byte) bool { // RFC 3986 2.3
		return isLetter(c) || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
	}
	component := func(c byte) bool { // encodeURIComponent
		return unreserved(c) || strings.IndexByte("!*'()", c) >= 0
	}
	path := func(c byte) bool { // Python's quote
		return unreserved(c) || c == '/'
	}
	userinfo := func(c byte) bool { // RFC 3986 3.2.1
		return unreserved(c) || strings.IndexByte("!$&'()*+,;=", c) >= 0
	}
	if percent(s, "0123456789ABCDEF", unreserved) == s {
		return nil
	}
	var out []string
	for _, digits := range []string{"0123456789ABCDEF", "0123456789abcdef"} {
		for _, keep := range []func(byte) bool{unreserved, component, path, userinfo} {
			p := percent(s, digits, keep)
			out = append(out, p, strings.ReplaceAll(p, "%20", "+"))
		}
		// Encoded once more, as a URL inside a URL is.
		out = append(out, percent(percent(s, digits, unreserved), digits, unreserved))
	}
	return append(out, url.UserPassword("", s).String()[1:])
}

var (
	escapeJSON   = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`)
	escapeQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	escapeShell  = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`")
	escapeXML    = []*strings.Replacer{
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;"),
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;"),
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;"),
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;"),
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;"),
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;"),
	}
)

func jsonForms(s string) []string {
	var out []string
	if html, err := json.Marshal(s); err == nil && utf8.ValidString(s) {
		out = append(out, string(html[1:len(html)-1]))
	}
	plain := escapeJSON.Replace(s)
	out = append(out, plain, strings.ReplaceAll(plain, "/", `\/`))
	if ascii := asciiJSON(plain, "%04x"); ascii != plain {
		out = append(out, ascii, asciiJSON(plain, "%04X"))
	}
	for _, once := range out { // JSON in a JSON string
		out = append(out, escapeQuotes.Replace(once))
	}
	return out
}

// asciiJSON writes what is not ASCII as \uXXXX, as Python does.
func asciiJSON(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u`+format+`\u`+format, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u`+format, r)
		}
	}
	return b.String()
}

func xmlForms(s string) []string {
	if !strings.ContainsAny(s, `&<>"'`) {
		return nil
	}
	out := make([]string, 0, len(escapeXML))
	for _, e := range escapeXML {
		out = append(out, e.Replace(s))
	}
	return out
}

func shellForms(s string) []string {
	var backslash strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x80 && !isLetter(c) && !('0' <= c && c <= '9') && strings.IndexByte("-._/:=,@%+", c) < 0 {
			backslash.WriteByte('\\')
		}
		backslash.WriteByte(s[i])
	}
	return []string{
		strings.ReplaceAll(s, "'", `'\''`),
		strings.ReplaceAll(s, "'", `'"'"'`),
		strings.ReplaceAll(s, "'", `''`), // SQL, YAML
		escapeShell.Replace(s),
		strings.ReplaceAll(s, "$", "$$"), // make, compose, systemd
		strings.ReplaceAll(s, "%", "%%"), // systemd, cron, Python's configparser
		backslash.String(),
	}
}

// isHexLike reports whether s is a hex number or UUID, which programs write in
// either case.
func isHexLike(s string) bool {
	letters := false
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9' || c == '-':
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			letters = true
		default:
			return false
		}
	}
	return letters
}

// Spellings lists the texts as which a secret is swept from files: for who
// hides a text by other means.
func Spellings(secret string) []string {
	var out []string
	for _, s := range spellings([]byte(secret)) {
		out = append(out, s.text)
	}
	return out
}
