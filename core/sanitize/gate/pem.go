package gate

import "regexp"

// A body follows within the header's window: at least 40 characters of base64
// in one go, newlines written out or not. Encrypted keys have header lines
// first.
var (
	pemHeader = regexp.MustCompile(`^-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\r|\\n|"|,|[A-Za-z-]+: [^\n]{1,80})*[0-9A-Za-z+/]{40}`)
	ppkHeader = regexp.MustCompile(`^Private-Lines: [0-9]+\s+[0-9A-Za-z+/]{40}`)
	ovpnBody  = regexp.MustCompile(`^-----BEGIN OpenVPN Static key V1-----\s+[0-9a-f]{32}`)
)

func (b *builder) pems() {
	for _, p := range []struct {
		prefix, rule string
		re           *regexp.Regexp
	}{
		{"-----BEGIN ", "private-key", pemHeader},
		{"Private-Lines", "putty-key", ppkHeader},
		{"-----BEGIN OpenVPN", "openvpn-key", ovpnBody},
	} {
		b.add(p.prefix, entry{rule: p.rule, check: func(text []byte, i int) bool {
			return text[i] == p.prefix[0] && text[i+gram-1] == p.prefix[gram-1] &&
				p.re.Match(text[i:min(len(text), i+window)])
		}})
	}
}
