package account

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Account is a local user.
type Account struct {
	Name   string
	UID    uint32
	GID    uint32
	Groups []uint32 // all of them, the primary one included
	Home   string
	Shell  string // absolute
}

// ErrUnknown is wrapped by the error for a user whom the machine does not know.
var ErrUnknown = errors.New("this machine knows no such user")

// Lookup finds a user by name.
func Lookup(name string) (Account, error) {
	if name == "" || strings.HasPrefix(name, "-") || strings.ContainsAny(name, ":/\n\x00 ") {
		return Account{}, fmt.Errorf("user %q: not a name of a user", name)
	}
	if b, err := os.ReadFile("/etc/passwd"); err == nil {
		if a, ok := fromPasswd(b, name); ok {
			a.Groups = groups(a)
			return a, nil
		}
	}
	// Users of a directory service (sssd, winbind) are in no file.
	if out, err := exec.Command("getent", "passwd", "--", name).Output(); err == nil {
		if a, ok := fromPasswd(out, name); ok {
			a.Groups = groups(a)
			return a, nil
		}
	}
	return Account{}, fmt.Errorf("user %q: %w", name, ErrUnknown)
}

// Current is the user as whom this process runs.
func Current() (Account, error) {
	if u, err := user.Current(); err == nil {
		if a, err := Lookup(u.Username); err == nil && int(a.UID) == os.Geteuid() {
			return a, nil
		}
	}
	home, _ := os.UserHomeDir()
	if home == "" {
		home = "/"
	}
	return Account{Name: "uid-" + strconv.Itoa(os.Geteuid()), UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()),
		Groups: []uint32{uint32(os.Getegid())}, Home: home, Shell: "/bin/sh"}, nil
}

// Self reports whether this process already runs as a.
func (a Account) Self() bool { return int(a.UID) == os.Geteuid() }

// Reachable returns an error that says what to do, if this process cannot act
// as a.
func (a Account) Reachable() error {
	if a.Self() || os.Geteuid() == 0 {
		return nil
	}
	return fmt.Errorf("engineers are to act as user %s (uid %d), but the agent runs as uid %d and only root can become another user: "+
		"run the agent as root, or name its own user in the configuration", a.Name, a.UID, os.Geteuid())
}

func fromPasswd(b []byte, name string) (Account, bool) {
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		f := strings.Split(lines.Text(), ":")
		if len(f) < 7 || f[0] != name {
			continue
		}
		uid, err1 := strconv.ParseUint(f[2], 10, 32)
		gid, err2 := strconv.ParseUint(f[3], 10, 32)
		if err1 != nil || err2 != nil || uid == 1<<32-1 || gid == 1<<32-1 { // -1 means "unchanged" to the kernel
			continue
		}
		a := Account{Name: name, UID: uint32(uid), GID: uint32(gid), Home: f[5], Shell: f[6]}
		if !filepath.IsAbs(a.Home) {
			a.Home = "/"
		}
		if !filepath.IsAbs(a.Shell) {
			a.Shell = "/bin/sh" // what passwd(5) says about an empty field
		}
		return a, true
	}
	return Account{}, false
}

// groups lists the groups of a. What `id` says counts, for it knows directory
// services; without it /etc/group does.
func groups(a Account) []uint32 {
	gids := []uint32{a.GID}
	add := func(text string) bool {
		g, err := strconv.ParseUint(text, 10, 32)
		if err != nil || g == 1<<32-1 {
			return false
		}
		if !slices.Contains(gids, uint32(g)) {
			gids = append(gids, uint32(g))
		}
		return true
	}
	if out, err := exec.Command("id", "-G", "--", a.Name).Output(); err == nil {
		for _, f := range strings.Fields(string(out)) {
			add(f)
		}
		return gids
	}
	b, _ := os.ReadFile("/etc/group")
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) >= 4 && slices.Contains(strings.Split(f[3], ","), a.Name) {
			add(f[2])
		}
	}
	return gids
}
