package account

import (
	"errors"
	"os"
	"slices"
	"testing"
)

func TestLookup(t *testing.T) {
	a, err := Lookup("root")
	if err != nil || a.UID != 0 || a.Home == "" || a.Shell[0] != '/' || !slices.Contains(a.Groups, 0) {
		t.Fatalf("root: %+v, %v", a, err)
	}
	if _, err := Lookup("no-such-user-here"); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown user: %v", err)
	}
	for _, bad := range []string{"", "-x", "a:b", "../etc", "a b", "a\nb"} {
		if _, err := Lookup(bad); err == nil {
			t.Errorf("%q was looked up", bad)
		}
	}
	me, err := Current()
	if err != nil || !me.Self() || me.Reachable() != nil {
		t.Errorf("current: %+v, %v", me, err)
	}
	if os.Geteuid() != 0 && a.Reachable() == nil {
		t.Error("a user who is not root can become root")
	}
}

func TestPasswd(t *testing.T) {
	b := []byte("a:x:1:2::/home/a:/bin/sh\nbad:x:4294967295:1::/:/bin/sh\nshort:x:1\nempty:x:3:4:::\n")
	for name, want := range map[string]Account{
		"a":     {Name: "a", UID: 1, GID: 2, Home: "/home/a", Shell: "/bin/sh"},
		"empty": {Name: "empty", UID: 3, GID: 4, Home: "/", Shell: "/bin/sh"},
		"bad":   {}, "short": {}, "x": {},
	} {
		got, _ := fromPasswd(b, name)
		if got.Name != want.Name || got.UID != want.UID || got.GID != want.GID || got.Home != want.Home || got.Shell != want.Shell {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
