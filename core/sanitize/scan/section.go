package scan

import (
	"bytes"

	"github.com/latchstring/latchstring/core/sanitize/keyname"
)

// Sections of INI files that list accounts with their passwords, as those of
// Subversion, CouchDB and Shiro do:
//
//	[users]
//	harry = x
//	root = x, admin

// section takes the line as the head of such a section, if that is all it is.
func (s *Scanner) section(pos, size int) {
	if s.State.Mode == Normal && nonSpace(s.buf, s.ls, s.le) == pos && nonSpace(s.buf, pos+size, s.le) >= s.le && !s.source {
		s.enter(InSection, keyname.Password, 0, maxFileLines, 0)
	}
}

// sectionLine deals with a line of the section.
func (s *Scanner) sectionLine(body []byte) {
	if s.State.Left--; s.State.Left < 0 || len(body) > 0 && body[0] == '[' {
		s.leave()
		return
	}
	i := bytes.IndexByte(body, '=')
	if i <= 0 || body[0] == '#' || body[0] == ';' {
		return
	}
	name := bytes.TrimRight(body[:i], " \t")
	from := s.le - len(body)
	if !allAccount(name) || memberSettings.has(name) || isNumber(name) {
		return
	}
	p := nonSpace(s.buf, from+i+1, s.le)
	b, e := p, s.le
	for e > b && isSpace(s.buf[e-1]) {
		e--
	}
	if n := quoteAt(s.buf, p, s.le); n > 0 && e > b+2*n && s.buf[e-1] == s.buf[b+n-1] {
		b, e = b+n, e-n
	} else if c := bytes.IndexByte(s.buf[b:e], ','); c > 0 && s.buf[b] != '-' {
		e = b + c // roles are behind it
	}
	v := s.buf[b:e]
	if len(v) < 4 || bytes.IndexByte(v, ' ') >= 0 || isPath(v) || memberValues.has(v) || isNumber(v) && len(v) < 6 || s.spare(v, keyname.Strong) {
		return
	}
	if bytes.IndexByte(name, '_') >= 0 && !s.tellable(v, false) && !isHashed(v) {
		return // the name of a setting
	}
	if s.Identify {
		s.addAccount(from, from+len(name))
	}
	s.hide(b, e, keyname.Password, "user-password")
}

// isHashed is true for a hash in the form that programs write it.
func isHashed(v []byte) bool {
	return len(v) > 12 && (v[0] == '$' || v[0] == '{' || v[0] == '-' && bytes.Count(v, []byte{'-'}) > 1)
}

// memberSettings are names that are set in sections of users besides accounts.
var memberSettings = listOf("count", "default", "max", "min", "limit", "mode", "theme", "home", "shell", "group", "groups", "file", "path", "dir", "database", "backend", "format", "type", "timeout", "enabled", "enable", "prefix", "suffix", "domain", "allow", "deny", "auto", "role", "roles", "realm", "source", "provider", "driver", "host", "port", "url", "include", "exclude", "filter", "base", "scope", "class", "list", "names", "language", "locale", "quota", "umask", "skel", "uid", "gid", "users", "admins", "members")

// memberValues are what accounts are given in lists that are not of passwords.
var memberValues = listOf("true", "false", "none", "admin", "admins", "administrator", "administrators", "root", "user", "users", "guest", "guests", "read", "readonly", "read-only", "write", "readwrite", "read-write", "full", "viewer", "editor", "operator", "operators", "member", "owner", "superuser", "super", "enabled", "disabled", "default", "allow", "deny", "monitor", "support", "manager", "developer", "service", "local", "ldap", "everyone", "auto", "wheel", "sudo", "staff")
