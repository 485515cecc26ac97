package family

import (
	"os"
	"os/exec"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A process that looks into namespaces, or makes some, is never seen in one
// itself: another agent that ends what is in there would end it. (Once a whole
// test run died of that, by SIGHUP.)
func TestFirstThreadStaysOutOfNamespaces(t *testing.T) {
	own := process{pid: os.Getpid()}
	dev, ino, ok := own.namespace()
	if !ok {
		t.Skip("namespaces cannot be read")
	}
	var all sync.WaitGroup
	for range 500 {
		all.Add(1)
		onThread(func() {
			defer all.Done()
			if unix.Gettid() == os.Getpid() {
				t.Error("it runs on the first thread")
			}
			_ = unix.Unshare(unix.CLONE_NEWUTS)
		})
		all.Wait()
	}
	if d, i, _ := own.namespace(); d != dev || i != ino {
		t.Error("the process is in another namespace")
	}
}

// Two agents on one machine, the one sweeping while the other has a connection.
func TestSweepOfAnother(t *testing.T) {
	f, err := New("ses-TESTTEST", "con-SWEPTBY1")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", "600")
	if err := f.Start(cmd); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer f.End(0)
	if n, left := Sweep("ses-SOMEBODY"); n != 0 || len(left) != 0 {
		t.Errorf("swept %d, left %v", n, left)
	}
	if f.mark.on(process{pid: os.Getpid()}) {
		t.Error("whoever sweeps is seen as one of those that it looked at")
	}
	if n, _ := Sweep(""); n != 0 {
		t.Errorf("a sweep of no session ended %d", n)
	}
}
