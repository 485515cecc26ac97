package access

import (
	"errors"
	"fmt"
	"strings"

	"github.com/latchstring/latchstring/core/access/account"
	"github.com/latchstring/latchstring/core/access/authorized"
	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/access/files"
)

// Swept is what [Sweep] found.
type Swept struct {
	Processes int // that were ended
	Keys      int // lines that were taken out of authorized_keys
}

// Sweep ends what an agent that died left behind of a session: its processes,
// and keys that were trusted for the backend openssh. The agent calls it at its
// start for the session that was on, and may call it at any time for one that is
// over. runAs and keys are as in [Options] and [SSHD].
func Sweep(session, runAs, keys string) (Swept, error) {
	if session == "" {
		return Swept{}, errors.New("access: no session to sweep")
	}
	var found Swept
	var left []int
	found.Processes, left = family.Sweep(session)
	var err error
	if len(left) > 0 {
		err = fmt.Errorf("access: processes of %s that do not end: %v", session, left)
	}
	a, lerr := runAsAccount(runAs)
	if lerr != nil {
		return found, errors.Join(err, lerr)
	}
	t, path, kerr := keyFile(a, keys)
	if kerr == nil {
		defer t.Close()
		found.Keys, kerr = authorized.Clean(t, path, session)
	}
	return found, errors.Join(err, kerr)
}

// Distrust takes the keys of every session out of authorized_keys, and returns
// how many there were. It is for a system on which remote access is disabled for
// good. runAs and keys are as in [Sweep].
func Distrust(runAs, keys string) (int, error) {
	a, err := runAsAccount(runAs)
	if err != nil {
		return 0, err
	}
	t, path, err := keyFile(a, keys)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	return authorized.Clean(t, path, "")
}

// keyFile is the authorized_keys file of a, and the file system in which it is
// changed: the user's own, or the agent's where the configuration names a file
// elsewhere.
func keyFile(a account.Account, keys string) (*files.Tree, string, error) {
	who, path := a, strings.TrimRight(a.Home, "/")+"/.ssh/authorized_keys"
	if keys != "" {
		path = keys
		if !strings.HasPrefix(keys, strings.TrimRight(a.Home, "/")+"/") {
			var err error
			if who, err = account.Current(); err != nil {
				return nil, "", err
			}
		}
	}
	yes := func(string) error { return nil }
	t, err := files.New(who, files.Judge{Upload: yes, Download: yes})
	return t, path, err
}
