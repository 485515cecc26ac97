package peers

import (
	"os/exec"
	"os/user"
	"testing"
)

// lookup is the absolute path of a program; sshd insists on one.
func lookup(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// makeAccount makes a user of this machine with the test password, until the
// test ends.
func makeAccount(t *testing.T, name string) {
	t.Helper()
	if _, err := user.Lookup(name); err != nil {
		command(t, nil, "", "useradd", "-M", "-N", "-s", "/usr/sbin/nologin", name)
		t.Cleanup(func() { exec.Command("userdel", name).Run() })
	}
	command(t, nil, name+":"+password+"\n", "chpasswd")
}
