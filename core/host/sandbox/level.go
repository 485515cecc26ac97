package sandbox

import (
	"fmt"
	"strings"
)

// Level says how well a plugin is confined. Levels are ordered: a higher one
// includes what the lower ones promise, but for the plugin's own user, which
// [NoPortRules] promises only when the host is root.
type Level int

// The levels, from the weakest.
const (
	// Bare: resource limits and no_new_privs only; the kernel has no seccomp
	// filters for this machine.
	Bare Level = iota
	// SeccompOnly: system calls are filtered, but the plugin runs as the user
	// of the host and may read what that user may.
	SeccompOnly
	// NoLandlock: filtered system calls and a user of its own.
	NoLandlock
	// NoPortRules: Landlock guards the files, but this kernel's Landlock knows
	// no TCP ports (before Linux 6.7).
	NoPortRules
	// Unprivileged: everything but a user of its own, because the host is not
	// root.
	Unprivileged
	// Full: everything.
	Full
)

var levels = [...]struct{ word, meaning string }{
	Bare:         {"bare", "only resource limits: this kernel cannot filter system calls"},
	SeccompOnly:  {"seccomp-only", "system calls are filtered, but no Landlock and no user of its own"},
	NoLandlock:   {"no-landlock", "own user and filtered system calls; this kernel has no Landlock, so files are guarded by their permissions only"},
	NoPortRules:  {"no-port-rules", "files are guarded by Landlock, but this kernel's Landlock knows no TCP ports"},
	Unprivileged: {"unprivileged", "Landlock and filtered system calls, but the user of the host: it is not root"},
	Full:         {"full", "own user, Landlock for files and ports, filtered system calls"},
}

// String is the word that policies and audit records use.
func (l Level) String() string {
	if l < Bare || l > Full {
		return fmt.Sprintf("level(%d)", int(l))
	}
	return levels[l].word
}

// Meaning is one sentence about the level, for people.
func (l Level) Meaning() string {
	if l < Bare || l > Full {
		return "unknown"
	}
	return levels[l].meaning
}

// MarshalText writes the word of the level.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the word of a level.
func (l *Level) UnmarshalText(text []byte) (err error) {
	*l, err = ParseLevel(string(text))
	return err
}

// ParseLevel is the reverse of [Level.String].
func ParseLevel(word string) (Level, error) {
	var words []string
	for l, v := range levels {
		if v.word == word {
			return Level(l), nil
		}
		words = append(words, v.word)
	}
	return Bare, fmt.Errorf("unknown sandbox level %q: one of %s", word, strings.Join(words, ", "))
}

// abilities are what the levels are computed from.
type abilities struct {
	seccomp  bool
	landlock int // ABI version, 0 for none
	ownUser  bool
}

func (a abilities) level() Level {
	switch {
	case !a.seccomp:
		return Bare
	case a.landlock == 0 && !a.ownUser:
		return SeccompOnly
	case a.landlock == 0:
		return NoLandlock
	case a.landlock < 4: // TCP rules came with ABI 4, Linux 6.7
		return NoPortRules
	case !a.ownUser:
		return Unprivileged
	}
	return Full
}
