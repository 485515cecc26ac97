package collect

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds an item's name in bytes.
const maxName = 512

// CheckName says what is wrong with the name of an item, if anything. The SDK
// checks each name that a collector gives it, and the host does so again.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("item without a name")
	case len(name) > maxName:
		return fmt.Errorf("item name of %d bytes: at most %d", len(name), maxName)
	case path.IsAbs(name) || path.Clean(name) != name || name == "." || name == ".." || strings.HasPrefix(name, "../"):
		return fmt.Errorf("item name %q: want a clean relative path with slashes that does not leave its folder", name)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == '\\' }):
		return fmt.Errorf("item name %q: want printable characters without backslashes", name)
	}
	return nil
}

// NameOf makes the name of an item from the path of its source: /etc/fstab
// becomes etc/fstab, and what a name may not hold becomes an underscore.
func NameOf(source string) string {
	name := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r == '\\' || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, strings.TrimPrefix(path.Clean("/"+source), "/"))
	for len(name) > maxName {
		_, n := utf8.DecodeRuneInString(name)
		name = strings.TrimLeft(name[n:], "/")
	}
	if name == "" {
		return "root"
	}
	return name
}

// ExitError is a command that ended with another code than 0.
type ExitError struct {
	Argv []string
	Exit Exit
}

// Error names the command, its code and the last line of its stderr.
func (e *ExitError) Error() string {
	msg := fmt.Sprintf("%s: exit code %d", strings.Join(e.Argv, " "), e.Exit.Code)
	if e.Exit.TimedOut {
		msg = fmt.Sprintf("%s: stopped, its time was over", strings.Join(e.Argv, " "))
	}
	lines := strings.Split(strings.TrimSpace(e.Exit.Stderr), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		msg += ": " + last
	}
	return msg
}
