package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Commands whose output is a secret: the line below a prompt.

// showers are words of commands that print a secret and nothing else.
var showers = []string{"keyvault secret show", "secretsmanager get-secret-value", "secrets versions access", "get-login-password", "print-access-token", "print-identity-token", "get-access-token",
	"op read ", "op item get", "pass show ", "pwgen", "openssl rand ", "wg genkey", "wg genpsk", "auth get-key", "auth print-key", "auth token", "whoami -t", "whoami --show-token", "create token ", "token create", "certificate-key", "join-token -q",
	"find-generic-password", "find-internet-password", "secret-tool lookup", "bw get ", "lpass show", "kv get -field", "kv get --field", "read -field", "--with-decryption", "gen random", "urandom", "/dev/random", "sops -d", "sops --decrypt", "keyctl print", "ansible-vault view", "ansible-vault decrypt", "get secret", "config get --secret", "gpg -d", "gpg --decrypt", "systemd-creds decrypt", "chamber read", "makepasswd", "storage-account keys list", "storage account keys list", "acr credential show", "secrets get ", "-asplaintext", "get-secret ", "virsh secret-get-value"}

// showing is true for a line on which somebody runs a command that prints a
// secret, behind a prompt. Its output is awaited in the next line.
func (s *Scanner) showing() {
	buf := s.buf
	p := s.promptBefore()
	if p < 0 || s.le-p < 6 || s.le-p > 400 || s.State.Mode != Normal || s.cut {
		return
	}
	line := buf[p:s.le]
	if i := bytes.LastIndexByte(line, '>'); i > 0 && line[i-1] != '2' && bytes.IndexByte(line[i:], '/') != 1 && bytes.IndexByte(line[i:], '}') < 0 {
		return // into a file
	}
	if !s.showsSecret(line) {
		return
	}
	s.enter(InNext, keyname.Secret, 0, 1, 'o')
}

// showsSecret is true for a command that prints a secret.
func (s *Scanner) showsSecret(line []byte) bool {
	for _, t := range showers {
		if i := indexFold(line, t); i >= 0 && (i == 0 || !isAlnum(line[i-1]) || !isAlnum(t[0])) {
			return t != "get secret" || bytes.Contains(line, []byte("-o json")) || bytes.Contains(line, []byte("template"))
		}
	}
	if line[0] == '$' || line[0] == '(' || line[0] == '[' {
		// $cred.GetNetworkCredential().Password of PowerShell
		v := trimEnd(line, " )")
		i := bytes.LastIndexAny(v, ".$")
		c, _ := s.classify(v[i+1:])
		return c == keyname.Strong && bytes.IndexByte(line, '=') < 0 && bytes.IndexByte(line, '|') < 0 && i >= 0
	}
	cmd := firstWord(line)
	if string(cmd) == "sudo" {
		line = bytes.TrimLeft(line[len(cmd):], " ")
		cmd = firstWord(line)
	}
	rest := bytes.TrimSpace(line[len(cmd):])
	if i := bytes.IndexByte(rest, '|'); i >= 0 {
		rest = bytes.TrimSpace(rest[:i])
	}
	if i := bytes.Index(rest, []byte("; echo")); i > 0 {
		rest = rest[:i]
	}
	last := rest[bytes.LastIndexByte(rest, ' ')+1:]
	switch string(cmd) {
	case "cat", "more", "less", "head", "type", "Get-Content":
		return len(last) > 3 && secretFile(last) && !hasKeyFileExt(last) || bytes.HasPrefix(last, []byte("/run/secrets/"))
	case "echo", "printf", "Write-Output":
		last = trimEnd(last, "\"'}")
		i := bytes.LastIndexAny(last, "$:{")
		if i < 0 || bytes.IndexByte(last, '$') < 0 {
			return false
		}
		c, _ := s.classify(last[i+1:])
		return c == keyname.Strong
	case "printenv":
		c, _ := s.classify(last)
		return c == keyname.Strong
	case "terraform", "tofu", "jq", "yq", "crudini", "git", "redis-cli", "ceph", "heroku", "pulumi", "kubectl", "oc", "jet", "etcdctl", "consul", "doppler", "gcloud", "az", "aws", "hiera", "snap", "uci", "nvram", "sqlite3", "mysql", "psql", "grep", "awk", "sed", "cut":
	default:
		return false
	}
	if string(cmd) == "grep" || string(cmd) == "awk" || string(cmd) == "sed" || string(cmd) == "cut" || string(cmd) == "mysql" || string(cmd) == "psql" || string(cmd) == "sqlite3" {
		return false
	}
	if string(cmd) == "jq" || string(cmd) == "yq" {
		i := bytes.IndexByte(rest, '.')
		if i < 0 {
			return false
		}
		last = rest[i:]
		last = last[:len(last)-len(bytes.TrimLeft(last, ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-[]\""))]
	}
	last = trimEnd(last, "\"'}]")
	last = last[bytes.LastIndexAny(last, ".:/[\"")+1:]
	c, _ := s.classify(last)
	return c == keyname.Strong && (bytes.Contains(rest, []byte("-r")) || bytes.Contains(rest, []byte("get")) || bytes.Contains(rest, []byte("--plain")) || string(cmd) == "yq")
}

// promptBefore is where the command begins that stands behind the prompt of a
// shell, or -1.
func (s *Scanner) promptBefore() int {
	buf := s.buf
	p := nonSpace(buf, s.ls, s.le)
	if p+3 >= s.le {
		return -1
	}
	switch buf[p] {
	case '$', '#', '%', '>', '+':
		if buf[p+1] == ' ' {
			return nonSpace(buf, p+1, s.le)
		}
		return -1
	}
	// root@host:~# x, [root@host ~]$ x, PS C:\> x, C:\>x, bash-5.1$ x
	if !isLetter(buf[p]) && buf[p] != '[' && buf[p] != '(' {
		return -1
	}
	e := p + 1
	for e < s.le && (isAlnum(buf[e]) || buf[e] == '-' || buf[e] == '.' || buf[e] == '_') {
		e++
	}
	if e >= s.le || buf[e] == ' ' && buf[p] != '[' && buf[p] != '(' && string(buf[p:e]) != "PS" || buf[e] == ':' && e-p > 1 {
		return -1
	}
	for end := min(s.le-1, p+64); e < end; e++ {
		switch c := buf[e]; c {
		case '$', '#', '%', '>':
			if e > p+1 && (buf[e+1] == ' ' || c == '>' && isLetter(buf[e+1])) && (isAlnum(buf[e-1]) || buf[e-1] == '~' || buf[e-1] == ']' || buf[e-1] == ')' || buf[e-1] == '\\' || buf[e-1] == '/' || buf[e-1] == ' ') {
				return nonSpace(buf, e+1, s.le)
			}
			return -1
		case '=', '"', '\'', ';', '|', '&', '<', '{':
			return -1
		}
	}
	return -1
}

// shown hides what a command has printed.
func (s *Scanner) shown(from int) {
	v := trimEnd(s.buf[from:s.le], " \t\r")
	if s.promptBefore() >= 0 || len(v) < 3 || v[0] == '{' || v[0] == '[' || v[0] == '-' || v[0] == '#' || v[0] == '<' || isPath(v) {
		return
	}
	words := 1 + bytes.Count(v, []byte{' '})
	if v[0] == '"' && v[len(v)-1] == '"' && len(v) > 4 {
		s.judge(from+1, from+len(v)-1, want{class: keyname.Strong, kind: keyname.Secret, rule: "command-output"}, true)
		return
	}
	if words > 1 && (words > 5 || bytes.Contains(v, []byte(": ")) || v[len(v)-1] == '.' || v[len(v)-1] == ':' || bytes.Contains(v, []byte("  ")) || bytes.IndexByte(v, '\t') >= 0) {
		return // a message, or a table
	}
	if containsFold(v, "error") || containsFold(v, "not found") || containsFold(v, "denied") {
		return
	}
	s.judge(from, from+len(v), want{class: keyname.Strong, kind: keyname.Secret, rule: "command-output"}, true)
}
