package store

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
)

// Token is an enrolment token as the relay keeps it: never the secret itself.
type Token struct {
	ID      string    `json:"id"`
	Hash    string    `json:"hash"` // api.HashSecret
	System  string    `json:"system"`
	Serial  string    `json:"serial,omitempty"`  // that the system gets
	Replace bool      `json:"replace,omitempty"` // retires an enrolled system of that name
	Created time.Time `json:"created"`
	By      string    `json:"by"`
	Expires time.Time `json:"expires"`
	UsedBy  string    `json:"used_by,omitempty"` // system id
	UsedAt  time.Time `json:"used_at,omitzero"`
}

// Role is what an engineer may do.
type Role string

// The roles.
const (
	RoleBundles Role = "bundles" // list and fetch bundles
	RoleAccess  Role = "access"  // connect to systems
)

// Roles lists them all.
var Roles = []Role{RoleBundles, RoleAccess}

// Engineer is somebody of the vendor.
type Engineer struct {
	Name    string    `json:"name"`
	Key     string    `json:"key"` // authorized_keys line without comment
	Roles   []Role    `json:"roles"`
	Groups  []string  `json:"groups,omitempty"` // of systems; none: all systems
	Added   time.Time `json:"added"`
	By      string    `json:"by"`
	Revoked time.Time `json:"revoked,omitzero"`
}

// Active reports whether the engineer may log in.
func (e Engineer) Active() bool { return e.Revoked.IsZero() }

// May reports whether the engineer has the role.
func (e Engineer) May(r Role) bool { return e.Active() && slices.Contains(e.Roles, r) }

// Reaches reports whether the engineer's groups let him at the system.
func (e Engineer) Reaches(s System) bool { return api.Reach(e.Groups, s.Groups) }

// CheckGroups checks the names of groups, and sorts them.
func CheckGroups(names []string) ([]string, error) {
	out := slices.Clone(names)
	for _, n := range out {
		if err := CheckName("group", n); err != nil {
			return nil, err
		}
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) > maxGroups {
		return nil, fmt.Errorf("%d groups; at most %d are kept", len(out), maxGroups)
	}
	return out, nil
}

// maxGroups bounds a record.
const maxGroups = 64

// The records that clients see are kept as they see them.
type (
	System = api.System
	Bundle = api.Bundle
)

// Announced is the last session that a system announced, kept so that the event
// log names each once, however often its link is made anew.
type Announced struct {
	Session string    `json:"session"`
	Since   time.Time `json:"since"`
	Ended   bool      `json:"ended"`
}

// Recording is a recording and how far the event log vouches for it.
type Recording struct {
	api.Recording
	Logged int `json:"logged"` // segments that Head of the last event covers
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// CheckName checks the name of a system or an engineer: it is used in tables
// and file names and shown to people.
func CheckName(kind, name string) error {
	if name == "" {
		return fmt.Errorf("the name of the %s is empty", kind)
	}
	if !namePattern.MatchString(name) {
		return fmt.Errorf("%s name %.80q: use letters, digits, '.', '_' and '-' (at most 63, beginning with a letter or digit)", kind, name)
	}
	return nil
}

// CheckSerial checks the serial number of a system; none is good too.
func CheckSerial(serial string) error {
	if serial != "" && !namePattern.MatchString(serial) {
		return fmt.Errorf("serial number %.80q: use letters, digits, '.', '_' and '-' (at most 63, beginning with a letter or digit)", serial)
	}
	return nil
}

// ParseRoles reads role names.
func ParseRoles(names []string) ([]Role, error) {
	var out []Role
	for _, n := range names {
		if !slices.Contains(Roles, Role(n)) {
			return nil, fmt.Errorf("unknown role %.40q; there are %v", n, Roles)
		}
		out = append(out, Role(n))
	}
	if len(out) == 0 {
		return nil, errors.New("no role given")
	}
	return out, nil
}
