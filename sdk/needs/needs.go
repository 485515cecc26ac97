package needs

import (
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// List is what a plugin needs. The zero List asks for nothing.
type List struct {
	// Paths are patterns of absolute paths to read. Each element is
	// matched as by [path.Match]; a last element of ** stands for
	// everything below: /var/log/** or /etc/*.conf.
	Paths []string `json:"paths,omitempty"`

	// Commands are command lines to run, word by word. The word * stands
	// for any one word, a last word ... for any number of them:
	// {"lsblk", "--json"}, {"journalctl", "..."}.
	Commands [][]string `json:"commands,omitempty"`

	// Ports are the TCP ports that the plugin dials itself, as "443",
	// "1024-2048" or "*". Name the ports of the proxy as configured by
	// default.
	Ports []string `json:"ports,omitempty"`
}

// Path reports whether the list holds the absolute path p. Symbolic links are
// not resolved here: who opens the file asks again for where it led.
func (l List) Path(p string) bool {
	if !path.IsAbs(p) || filepath.Clean(p) != p {
		return false
	}
	for _, pattern := range l.Paths {
		if matchPath(pattern, p) {
			return true
		}
	}
	return false
}

func matchPath(pattern, p string) bool {
	if base, ok := strings.CutSuffix(pattern, "/**"); ok {
		n := strings.Count(base, "/")
		parts := strings.SplitAfterN(p, "/", n+2) // "/", "var/", ..., rest
		if len(parts) < n+2 || parts[n+1] == "" {
			return false
		}
		pattern, p = base, strings.TrimSuffix(strings.Join(parts[:n+1], ""), "/")
		if pattern == "" {
			return p == ""
		}
	}
	ok, err := path.Match(pattern, p)
	return ok && err == nil
}

// Command reports whether the list holds the command line argv.
func (l List) Command(argv []string) bool {
	for _, pattern := range l.Commands {
		if matchCommand(pattern, argv) {
			return true
		}
	}
	return false
}

func matchCommand(pattern, argv []string) bool {
	if len(pattern) == 0 || len(argv) == 0 || pattern[0] != argv[0] {
		return false // the program itself is never a wildcard
	}
	for i, word := range pattern {
		if word == "..." && i > 0 && i == len(pattern)-1 {
			return true
		}
		if i >= len(argv) || (word != argv[i] && (word != "*" || i == 0)) {
			return false
		}
	}
	return len(pattern) == len(argv)
}

// Port reports whether the list holds the TCP port.
func (l List) Port(port uint16) bool {
	for _, p := range l.Ports {
		if p == "*" {
			return true
		}
		from, to, isRange := strings.Cut(p, "-")
		if !isRange {
			to = from
		}
		low, err1 := strconv.ParseUint(from, 10, 16)
		high, err2 := strconv.ParseUint(to, 10, 16)
		if err1 == nil && err2 == nil && low <= uint64(port) && uint64(port) <= high {
			return true
		}
	}
	return false
}
