package corpus

import (
	"encoding/base64"
	"strings"
)

const (
	lettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	upperAndDigits   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

// draw returns n random characters, at least one of them a digit and one a
// letter.
func (g *Generator) draw(set string, n int) string {
	for {
		b := make([]byte, n)
		for i := range b {
			b[i] = set[g.r.IntN(len(set))]
		}
		s := string(b)
		if strings.ContainsAny(s, "0123456789") && strings.ContainsAny(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz") {
			return s
		}
	}
}

// leaks are the kinds of secrets: the line or lines that hold one, with %
// where it stands, and what draws it.
var leaks = []struct {
	kind, text string
	draw       func(*Generator) string
}{
	{"password", "db.password=%", (*Generator).password},
	{"password", `{"level":"debug","msg":"connecting","user":"app","password":"%"}`, (*Generator).password},
	{"password", "  password: \"%\"", (*Generator).password},
	{"password", "export PGPASSWORD='%'", (*Generator).password},
	{"password", "+ mysql -h db-1 -u app -p% shop", (*Generator).word12},
	{"url", "2026-01-12 06:25:44 WARN retrying postgres://app:%@db-1:5432/shop?sslmode=require", (*Generator).word12},
	{"url", "git clone https://deploy:%@git.example.net/shop/api.git", (*Generator).word12},
	{"jdbc", "spring.datasource.url=jdbc:mysql://db-1:3306/shop?user=app&password=%&useSSL=true", (*Generator).word12},
	{"odbc", "Driver={ODBC Driver 18};Server=sql-1;Database=shop;Uid=app;Pwd=%;Encrypt=yes", (*Generator).word12},
	{"bearer", "> Authorization: Bearer %", func(g *Generator) string { return g.draw(lettersAndDigits, 40) }},
	{"basic", "> Authorization: Basic %", func(g *Generator) string {
		return base64.StdEncoding.EncodeToString([]byte("admin:" + g.draw(lettersAndDigits, 14)))
	}},
	{"cookie", "Set-Cookie: JSESSIONID=%; Path=/; Secure; HttpOnly", func(g *Generator) string { return g.draw("0123456789ABCDEF", 32) }},
	{"aws", "aws_access_key_id = %", func(g *Generator) string { return "AKIA" + g.draw(upperAndDigits, 16) }},
	{"aws", "aws_secret_access_key = %", func(g *Generator) string { return g.draw(lettersAndDigits+"+/", 40) }},
	{"github", "remote: using token % for fetch", func(g *Generator) string { return "ghp_" + g.draw(lettersAndDigits, 36) }},
	{"gitlab", "CI_JOB_TOKEN replaced by %", func(g *Generator) string { return "glpat-" + g.draw(lettersAndDigits, 20) }},
	{"slack", "notifier: posting with % failed: 429", func(g *Generator) string {
		return "xoxb-" + g.draw("0123456789a", 12) + "-" + g.draw(lettersAndDigits, 24)
	}},
	{"stripe", "stripe.Key = \"%\"", func(g *Generator) string { return "sk_live_" + g.draw(lettersAndDigits, 24) }},
	{"jwt", "session=% ok", func(g *Generator) string {
		b64 := base64.RawURLEncoding
		return b64.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + b64.EncodeToString([]byte(`{"sub":"`+g.draw(lettersAndDigits, 12)+`"}`)) + "." + g.draw(lettersAndDigits, 43)
	}},
	{"shadow", "ops:%:19700:0:99999:7:::", func(g *Generator) string {
		return "$6$" + g.draw(lettersAndDigits, 12) + "$" + g.draw(lettersAndDigits, 86)
	}},
	{"bcrypt", "admin:%", func(g *Generator) string { return "$2y$10$" + g.draw(lettersAndDigits, 53) }},
	{"snmp", "rocommunity % 10.0.0.0/8", (*Generator).word12},
	{"ldap", "bindpw %", (*Generator).password},
	{"chap", "discovery.sendtargets.auth.password = %", (*Generator).word12},
	{"sql", "ALTER USER 'shop'@'%%' IDENTIFIED BY '%'", (*Generator).word12},
	{"netrc", "machine git.example.net login deploy password %", (*Generator).word12},
	{"wireguard", "PrivateKey = %", func(g *Generator) string { return g.draw(lettersAndDigits+"+/", 43) + "=" }},
	{"xml", "<property name=\"password\" value=\"%\"/>", (*Generator).word12},
	{"flag", "ExecStart=/opt/agent/bin/agent --server mon-1 --password %", (*Generator).word12},
	{"pem", "-----BEGIN RSA PRIVATE KEY-----\n%\n-----END RSA PRIVATE KEY-----", func(g *Generator) string {
		var lines []string
		for range 12 {
			lines = append(lines, g.draw(lettersAndDigits+"+/", 64))
		}
		return strings.Join(lines, "\n")
	}},
}

// password returns one as people and generators choose them.
func (g *Generator) password() string { return g.draw(lettersAndDigits+"!_.-", 10+g.r.IntN(12)) }

// word12 has nothing in it that a URL or a shell would mind.
func (g *Generator) word12() string { return g.draw(lettersAndDigits, 12+g.r.IntN(6)) }

// leak makes lines that hold a secret.
func (g *Generator) leak() {
	l := &leaks[g.r.IntN(len(leaks))]
	v := l.draw(g)
	text := strings.ReplaceAll(l.text, "%%", "\x00")
	before, after, _ := strings.Cut(text, "%")
	text = strings.ReplaceAll(before, "\x00", "%") + v + strings.ReplaceAll(after, "\x00", "%")
	g.truth = append(g.truth, Secret{Line: g.line + 1 + int64(strings.Count(before, "\n")), Kind: l.kind, Value: v})
	g.add(text).nl()
}
