package policy

import (
	"net"
	"net/url"
	"strings"
)

// A pattern is one item of a list: plain text, or text with * in it. In paths
// a * stays within one name and a name that is ** stands for any number of
// directories, at the end for everything below; everywhere else a * takes anything.
type pattern struct {
	text           string
	prefix, suffix string   // before the first and after the last *: the cheap tests that nearly always decide
	names          []string // of a path
}

func newPattern(text string, path bool) pattern {
	p := pattern{text: text}
	p.prefix, _, _ = strings.Cut(text, "*")
	p.suffix = text[strings.LastIndexByte(text, '*')+1:]
	if path {
		p.names = strings.Split(text, "/")
		if last := len(p.names) - 1; p.names[last] == "**" {
			p.names = append(p.names, "*") // what is below, not the directory itself
		}
	}
	return p
}

func (p *pattern) match(s string) bool {
	if !strings.HasPrefix(s, p.prefix) || !strings.HasSuffix(s, p.suffix) {
		return false
	}
	if p.names == nil {
		return glob(p.text, s)
	}
	return globPath(p.names, strings.Split(s, "/"))
}

// glob goes back no further than to the last star, so its time is bounded by
// the product of the lengths.
func glob(p, s string) bool {
	i, j, star, from := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && p[i] == s[j]:
			i, j = i+1, j+1
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// globPath is glob over names instead of bytes.
func globPath(p, s []string) bool {
	i, j, star, from := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == "**":
			star, from = i, j
			i++
		case i < len(p) && glob(p[i], s[j]):
			i, j = i+1, j+1
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == "**" {
		i++
	}
	return i == len(p)
}

// A list is the value of a key that takes several items.
type list struct {
	items    []string // as shown: normalised, sorted, without duplicates
	exact    map[string]bool
	patterns []pattern
}

func newList(items []string, path bool) *list {
	l := &list{items: items, exact: make(map[string]bool, len(items))}
	for _, it := range items {
		if strings.Contains(it, "*") {
			l.patterns = append(l.patterns, newPattern(it, path))
		} else {
			l.exact[it] = true
		}
	}
	return l
}

func (l *list) match(s string) bool { return l.find(s) != "" }

// find returns the item that matches s, or the empty text.
func (l *list) find(s string) string {
	if l.exact[s] {
		return s
	}
	for i := range l.patterns {
		if l.patterns[i].match(s) {
			return l.patterns[i].text
		}
	}
	return ""
}

// hostPort brings an address into the form in which addresses are compared:
// lower case, without a trailing dot, always with a port.
func hostPort(s, defaultPort string) (string, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		bare := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
		if strings.Contains(bare, ":") && net.ParseIP(bare) == nil {
			return "", false
		}
		host, port = bare, defaultPort
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" || port == "" || strings.ContainsAny(host, " /@\t\n\x00") || !isPort(port) {
		return "", false
	}
	return net.JoinHostPort(host, port), true
}

func isPort(s string) bool {
	if s == "*" {
		return true
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > 65535 {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return len(s) > 0 && n > 0 && n <= 65535
}

var proxyPorts = map[string]string{"https": "443", "http": "80", "socks4": "1080", "socks4a": "1080", "socks5": "1080", "socks5h": "1080"}

// proxyURL brings a proxy into the form in which proxies are compared:
// scheme://host:port without credentials, or "none".
func proxyURL(s string) (string, bool) {
	if s == "" || s == "none" {
		return "none", true
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return "", false
	}
	scheme = strings.ToLower(scheme)
	port, known := proxyPorts[scheme]
	if scheme != "*" && !known {
		return "", false
	}
	if port == "" {
		port = "*"
	}
	if i := strings.LastIndex(rest, "@"); i >= 0 { // a password may hold anything
		rest = rest[i+1:]
	}
	if u, err := url.Parse("x://" + rest); err == nil && !strings.Contains(rest, "*") {
		rest = u.Host
	}
	hp, ok := hostPort(strings.TrimSuffix(rest, "/"), port)
	if !ok {
		return "", false
	}
	return scheme + "://" + hp, true
}
