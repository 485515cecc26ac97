package family

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A process of a connection is known as one, whatever it did to its environment
// and whoever its parent is by now; others are not, and one that is gone is held
// for one as long as there are connections.
func TestOf(t *testing.T) {
	f, err := New("ses-TESTTEST", "con-OFOFOFOF")
	if err != nil {
		t.Fatal(err)
	}
	defer f.End(0)
	pids := filepath.Join(t.TempDir(), "pids")
	cmd := exec.Command("/bin/sh", "-c", escapes["no environment"])
	cmd.Env = append(os.Environ(), "PIDS="+pids)
	if err := f.Start(cmd); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	run := waitForPid(t, pids)
	if c, member := Of(run); !member || c != "con-OFOFOFOF" {
		t.Errorf("a process of the connection: %q, %v", c, member)
	}
	if c, member := Of(os.Getpid()); member {
		t.Errorf("the agent itself: %q", c)
	}
	if c, member := Of(cmd.Process.Pid); !member || c != "" {
		t.Errorf("a process that is gone: %q, %v", c, member)
	}
	f.End(0)
	living.Lock()
	defer living.Unlock()
	for _, g := range living.all {
		if g == f {
			t.Error("a family that has ended is still listed")
		}
	}
}
