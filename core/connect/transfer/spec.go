package transfer

import (
	"path"
	"strings"
)

// Spec is one end of a copy, in the syntax of scp: PATH or SYSTEM:PATH.
type Spec struct {
	System string // empty: this workstation
	Path   string
}

// ParseSpec reads an end of a copy. A path with a colon that is local begins
// with / or ./, as with scp.
func ParseSpec(s string) Spec {
	i := strings.IndexByte(s, ':')
	if i <= 0 || strings.ContainsRune(s[:i], '/') {
		return Spec{Path: s}
	}
	p := s[i+1:]
	switch {
	case p == "" || p == "~":
		p = "."
	case strings.HasPrefix(p, "~/"):
		p = p[2:]
	}
	return Spec{System: s[:i], Path: p}
}

func (s Spec) String() string {
	if s.System == "" {
		return s.Path
	}
	return s.System + ":" + s.Path
}

// safeName reports whether a name that the other side listed may become part
// of a path here.
func safeName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\\\x00") && path.Base(name) == name
}
