package security

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

// account is a user in accounts.json.
type account struct {
	Name   string   `json:"name"`
	UID    string   `json:"uid"`
	GID    string   `json:"gid"`
	Home   string   `json:"home"`
	Shell  string   `json:"shell"`
	Groups []string `json:"groups,omitempty"` // besides the own one

	// Login says where the hash of the password is: "shadow", "locked",
	// "open" (none is needed), or "in passwd", where everybody can read it.
	// It is not named after passwords: such values are redacted.
	Login string `json:"login"`
}

// group is a group in accounts.json.
type group struct {
	Name    string   `json:"name"`
	GID     string   `json:"gid"`
	Members []string `json:"members,omitempty"`
}

type accounts struct {
	Users  []account `json:"users"`
	Groups []group   `json:"groups"`

	// Root are the names with the user id 0, of which there should be one.
	Root []string `json:"uid_0"`
}

// maxPasswd bounds passwd and group.
const maxPasswd = 16 << 20

// accountsOf reads the accounts that are local.
func accountsOf(o recipe.Opener) ([]byte, error) {
	passwd, err := recipe.Read(o, "/etc/passwd", maxPasswd)
	if err != nil {
		return nil, err
	}
	groups, err := recipe.Read(o, "/etc/group", maxPasswd)
	if err != nil {
		groups = "" // users alone are worth having
	}
	data, err := json.MarshalIndent(parseAccounts(passwd, groups), "", "  ")
	return append(data, '\n'), err
}

func parseAccounts(passwd, groups string) accounts {
	out := accounts{Users: []account{}, Groups: []group{}, Root: []string{}}
	of := map[string][]string{}
	for line := range strings.Lines(groups) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) < 4 || strings.HasPrefix(f[0], "#") {
			continue
		}
		g := group{Name: f[0], GID: f[2]}
		for _, m := range strings.Split(f[3], ",") {
			if m != "" {
				g.Members = append(g.Members, m)
				of[m] = append(of[m], g.Name)
			}
		}
		out.Groups = append(out.Groups, g)
	}
	for line := range strings.Lines(passwd) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) < 7 || strings.HasPrefix(f[0], "#") {
			continue
		}
		slices.Sort(of[f[0]])
		out.Users = append(out.Users, account{Name: f[0], UID: f[2], GID: f[3], Home: f[5], Shell: f[6], Groups: of[f[0]], Login: login(f[1])})
		if f[2] == "0" {
			out.Root = append(out.Root, f[0])
		}
	}
	return out
}

// login says what the second field of passwd(5) means, and never what it is.
func login(field string) string {
	switch {
	case field == "":
		return "open"
	case field == "x":
		return "shadow"
	case strings.HasPrefix(field, "!") || strings.HasPrefix(field, "*"):
		return "locked"
	default:
		return "in passwd"
	}
}
