package policy

import (
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// value reads the value of a key. What is wrong with it becomes mistakes.
func (d *decoder) value(k *Key, a *hcl.Attribute) (value, bool) {
	about := aboutBundles(k.Block)
	if k.Path() == "remote_access" {
		about = false
	}
	bad := func(what, hint string) (value, bool) {
		d.mistakeAt(a.Expr.Range(), about, what, hint)
		return value{}, false
	}
	switch k.Kind {
	case Bool:
		v, ok := d.literal(a.Expr, about)
		if !ok {
			return value{}, false
		}
		if v.Type() != cty.Bool {
			return bad(fmt.Sprintf("%s takes true or false, not a %s", k.Path(), typeName(v)), "write it without quotation marks")
		}
		return value{yes: v.True()}, true
	case Number:
		n, ok := d.number(a, about)
		if ok && (n < 1 || n > 5) {
			return bad(k.Path()+" takes a number from 1 to 5", "")
		}
		return value{n: n}, ok
	case Enum:
		s, ok := d.text(a, about)
		if !ok {
			return value{}, false
		}
		for i, w := range k.Words {
			if w.Word == s {
				return value{n: int64(i)}, true
			}
		}
		return bad(fmt.Sprintf("%s does not know %q", k.Path(), s), meant(s, k.words()))
	case Length:
		s, ok := d.text(a, about)
		if !ok {
			return value{}, false
		}
		n, err := ParseLength(s)
		if err != nil {
			return bad(err.Error(), "")
		}
		return value{n: int64(n)}, true
	case Size:
		s, ok := d.text(a, about)
		if !ok {
			return value{}, false
		}
		n, err := ParseSize(s)
		if err != nil {
			return bad(err.Error(), "")
		}
		return value{n: n}, true
	}
	return d.list(k, a, about)
}

func (d *decoder) list(k *Key, a *hcl.Attribute, about bool) (value, bool) {
	its, ok := d.texts(a, about)
	var out []string
	for _, it := range its {
		s, err := k.normal(it.text)
		if err != nil {
			what, hint, _ := strings.Cut(err.Error(), "; ")
			d.mistakeAt(it.at, about, what, hint)
			ok = false
			continue
		}
		if slices.Contains(out, s) {
			d.mistakeAt(it.at, about, fmt.Sprintf("%q is listed twice", it.text), "")
			ok = false
			continue
		}
		out = append(out, s)
	}
	if !ok {
		return value{}, false
	}
	slices.Sort(out)
	return value{lists: []*list{newList(out, k.Kind == Paths)}}, true
}

// normal brings an item of a list into the form in which it is compared.
func (k *Key) normal(s string) (string, error) {
	if s == "" || strings.ContainsAny(s, "\x00\n\r") {
		return "", fmt.Errorf("an empty item, or one with line ends, is a mistake")
	}
	switch k.Kind {
	case Names:
		if strings.TrimSpace(s) != s {
			return "", fmt.Errorf("%q begins or ends with a space", s)
		}
		if k.Words == nil {
			return k.fold(s), nil
		}
		lower := strings.ToLower(s)
		if slices.Contains(k.words(), lower) || k.open() {
			return lower, nil
		}
		return "", fmt.Errorf("%s does not know %q; %s", k.Path(), s, meant(s, k.words()))
	case Hosts:
		port := "443"
		if k.Path() == "engineer.forwards" {
			port = ""
		}
		hp, ok := hostPort(s, port)
		if !ok {
			return "", fmt.Errorf(`%q is no address; write it like "host.example.com:443", an IPv6 address like "[2001:db8::1]:443"`, s)
		}
		return hp, nil
	case Proxies:
		p, ok := proxyURL(s)
		if !ok {
			return "", fmt.Errorf(`%q is no proxy; write it like "https://proxy.example.com:3128", "socks4://...", "socks5://..." or "none"`, s)
		}
		if strings.Contains(s, "@") {
			return "", fmt.Errorf("a proxy is named without user and password; credentials do not belong in a policy")
		}
		return p, nil
	case Paths:
		if !strings.HasPrefix(s, "/") || path.Clean(s) != s {
			return "", fmt.Errorf("%q is no absolute path without detours; write it like %q", s, "/var/log/**")
		}
		for name := range strings.SplitSeq(s, "/") {
			if strings.Contains(name, "**") && name != "**" {
				return "", fmt.Errorf("in %q a ** shares its name with something else; write it like %q", s, "/srv/**/*.log")
			}
		}
		return s, nil
	case Digests:
		lower := strings.ToLower(s)
		if b, err := hex.DecodeString(lower); err != nil || len(b) != 32 {
			return "", fmt.Errorf("%q is no SHA-256; it has 64 hexadecimal digits", s)
		}
		return lower, nil
	}
	return s, nil
}

// fold lowers the names that are compared without case.
func (k *Key) fold(s string) string {
	switch k.Path() {
	case "plugins.allow", "plugins.deny", "network.transports":
		return strings.ToLower(s)
	}
	return s
}

// open reports whether a key with known words takes others too: plugins bring
// login methods of their own.
func (k *Key) open() bool { return k.Path() == "session.methods" }

func (k *Key) words() []string {
	out := make([]string, len(k.Words))
	for i, w := range k.Words {
		out[i] = w.Word
	}
	return out
}

// meant is the hint for a word that is not known.
func meant(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "it is one of " + strings.Join(known, ", ")
}
