package scan

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Accounts show by where they stand; types and the words of a sentence are none.
func TestAccounts(t *testing.T) {
	for line, want := range map[string][]string{
		"Accepted password for jdoe from 10.0.0.1 port 22": {"jdoe"},
		"Accepted password for will from 10.0.0.1 port 22": {"will"},
		"username: jdoe":                  {"jdoe"},
		"user=will":                       {"will"},
		"invalid user jdoe from 10.0.0.1": {"jdoe"},
		"def login(username: str, password: str) -> S:": nil,
		"user: string (required)":                       nil,
		"WARN password for user will expire in 6 days":  nil,
		"session for user that logged in first":         nil,
		"user does not exist":                           nil,
	} {
		s := New()
		s.Identify = true
		s.Scan([]byte(line), 0, len(line))
		var got []string
		for _, id := range s.Idents {
			if id.What == User {
				got = append(got, line[id.Start:id.End])
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", line, diff)
		}
	}
}
