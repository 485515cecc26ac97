package policy

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		path, want    bool
	}{
		{"*.example.com:443", "rss.example.com:443", false, true},
		{"*.example.com:443", "example.com:443", false, false},
		{"*.example.com:443", "rss.example.com:444", false, false},
		{"*", "", false, true},
		{"a*b*c", "aXbYbZc", false, true},
		{"a*b*c", "aXbYbZ", false, false},
		{"systemctl status *", "systemctl status x y", false, true},
		{"/var/log/*", "/var/log/syslog", true, true},
		{"/var/log/*", "/var/log/a/b", true, false},
		{"/var/log/**", "/var/log/a/b", true, true},
		{"/var/log/**", "/var/log", true, false},
		{"/var/**/log", "/var/log", true, true}, // no directory at all
		{"/var/log/**", "/var/logs", true, false},
		{"/**/*.key", "/a.key", true, true},
		{"/**/*.key", "/a/b/c.key", true, true},
		{"/**/*.key", "/a/b.key/c", true, false},
		{"/**/.ssh/id_*", "/home/ada/.ssh/id_rsa", true, true},
		{"/proc/*/mem", "/proc/1/mem", true, true},
		{"/proc/*/mem", "/proc/1/task/1/mem", true, false},
		{"/a/**/b/**/c", "/a/x/b/b/y/c", true, true},
		{"/a/**/b/**/c", "/a/x/c", true, false},
	} {
		p := newPattern(c.pattern, c.path)
		if got := p.match(c.text); got != c.want {
			t.Errorf("%s on %s: %t", c.pattern, c.text, got)
		}
	}
}

// Patterns against regular expressions.
func TestPatternsAgainstRegexp(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	random := func(alphabet string, n int) string {
		var b strings.Builder
		for range r.IntN(n) {
			b.WriteByte(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	for range 5000 {
		text, p := random("ab/", 8), random("ab*/", 6)
		want := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*") + "$").MatchString(text)
		if got := glob(p, text); got != want {
			t.Fatalf("%q on %q: %t", p, text, got)
		}
		names := strings.Split("/"+p, "/")
		for i, n := range names {
			if strings.Contains(n, "**") {
				names[i] = "**"
			}
		}
		if names[len(names)-1] == "**" {
			names = append(names, "*")
		}
		expr := "^"
		for _, n := range names {
			if n == "**" {
				expr += `([^/]*/)*`
			} else {
				expr += strings.ReplaceAll(regexp.QuoteMeta(n), `\*`, "[^/]*") + "/"
			}
		}
		text = "/" + text
		want = regexp.MustCompile(expr + "$").MatchString(text + "/")
		pat := newPattern(strings.Join(names, "/"), true)
		if got := pat.match(text); got != want {
			t.Fatalf("%q on %q: %t, %s", pat.text, text, got, expr)
		}
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"Example.COM": "example.com:443", "example.com.:8443": "example.com:8443", "192.0.2.1:1": "192.0.2.1:1",
		"[2001:DB8::1]:443": "[2001:db8::1]:443", "2001:db8::1": "[2001:db8::1]:443", "[::1]": "[::1]:443", "*.x:*": "*.x:*",
		"": "", ":443": "", "a b": "", "user@host": "", "host:0": "", "host:65536": "", "host:x": "", "https://host": "", "host:": "", "a:b:c": "",
	} {
		if got, ok := hostPort(in, "443"); got != want && (want != "" || ok) {
			t.Errorf("%q: %q %t, want %q", in, got, ok, want)
		}
	}
	for in, want := range map[string]string{
		"": "none", "none": "none", "HTTPS://P.example": "https://p.example:443", "socks5://p": "socks5://p:1080",
		"https://user:p@ss/w0rd@p.example:3128/": "https://p.example:3128", "http://*:3128": "http://*:3128", "*://p:1": "*://p:1",
		"p.example:3128": "", "ftp://p": "", "https://": "",
	} {
		if got, ok := proxyURL(in); got != want && (want != "" || ok) {
			t.Errorf("%q: %q %t, want %q", in, got, ok, want)
		}
	}
}
