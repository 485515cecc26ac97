package sso

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxText is the longest name, role or message that is taken from a provider.
const maxText = 256

// printable reports whether text can be shown and audited as it is.
func printable(s string) bool {
	return s != "" && len(s) <= maxText && strconv.Quote(s) == `"`+s+`"`
}

// clean makes something to show of what a provider says.
func clean(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "..."
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// maxCallback is more than an answer with an assertion has.
const maxCallback = 512 << 10

// parseCallback reads what a browser brought back: a query, or the body of a
// form. A parameter that is there twice means different things to different
// readers, so there is no such thing.
func parseCallback(s string) (map[string]string, error) {
	if len(s) > maxCallback {
		return nil, fmt.Errorf("it has %d bytes", len(s))
	}
	s = strings.TrimPrefix(strings.TrimSpace(s), "?")
	if s == "" {
		return nil, errors.New("it is empty")
	}
	values, err := url.ParseQuery(s)
	if err != nil {
		return nil, errors.New("it is no query and no form")
	}
	out := make(map[string]string, len(values))
	for name, list := range values {
		if len(list) != 1 {
			return nil, errors.New("a parameter is there twice")
		}
		out[name] = list[0]
	}
	return out, nil
}

// claims is what a provider says of a user.
type claims map[string]any

// texts returns the values of a claim or attribute. A name with dots is
// looked for as it is, then as a path.
func (c claims) texts(name string) []string {
	v, found := c[name]
	for rest := name; !found; {
		var head string
		head, rest, found = strings.Cut(rest, ".")
		if !found {
			return nil
		}
		inner, ok := c[head].(map[string]any)
		if !ok {
			return nil
		}
		c = inner
		v, found = c[rest]
	}
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// add adds values of an attribute.
func (c claims) add(name string, values []string) {
	if name != "" {
		old, _ := c[name].([]string)
		c[name] = append(slices.Clip(old), values...)
	}
}

// text returns the value of a claim that has exactly one, else "".
func (c claims) text(name string) string {
	if list := c.texts(name); len(list) == 1 {
		return list[0]
	}
	return ""
}

func anyOf(list, wanted []string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(wanted, s) })
}

// some lists a few values for a message.
func some(list []string) string {
	var out []string
	for _, s := range list {
		if printable(s) && len(out) < 5 {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}
