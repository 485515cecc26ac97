package family

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/testdata/until"
)

// escapes are the ways in which a process tries to outlive its connection.
var escapes = map[string]string{
	"plain":           `sleep 600 & echo $! >> $PIDS; sleep 600`,
	"nohup":           `nohup sleep 600 >/dev/null 2>&1 & echo $! >> $PIDS`,
	"setsid":          `setsid sh -c 'echo $$ >> $PIDS; exec sleep 600' >/dev/null 2>&1 &`,
	"ignores hangup":  `trap '' HUP TERM INT; echo $$ >> $PIDS; while :; do sleep 1; done`,
	"double fork":     `( setsid sh -c '( echo $$ >> $PIDS; exec sleep 600 ) &' & ) >/dev/null 2>&1`,
	"no environment":  `P=$PIDS; ( setsid env -i sh -c "sleep 600 & echo \$! >> $P" & ) >/dev/null 2>&1`,
	"stopped":         `sh -c 'echo $$ >> $PIDS; kill -STOP $$; sleep 600' & wait`,
	"fork after fork": `( setsid env -i P=$PIDS sh -c 'i=0; while [ $i -lt 20 ]; do i=$((i+1)); (sleep 600) & done; echo $! >> $P; wait' & ) >/dev/null 2>&1`,
}

// REQ A10
func TestEndEndsAll(t *testing.T) {
	for _, way := range []string{"as it is", "without cgroup"} {
		for name, script := range escapes {
			t.Run(way+"/"+name, func(t *testing.T) {
				t.Parallel()
				f, err := New("ses-"+strconv.Itoa(os.Getpid()), "con-"+strconv.Itoa(len(way))+strings.ReplaceAll(name, " ", ""))
				if err != nil {
					t.Fatal(err)
				}
				if way == "without cgroup" {
					f.group.close()
					f.group = nil
				}
				pids := filepath.Join(t.TempDir(), "pids")
				cmd := exec.Command("/bin/sh", "-c", script)
				cmd.Env = append(os.Environ(), "PIDS="+pids)
				if err := f.Start(cmd); err != nil {
					t.Fatal(err)
				}
				go cmd.Wait()
				run := waitForPid(t, pids)
				if len(f.Members()) == 0 {
					t.Fatalf("pid %d is no member", run)
				}
				start := time.Now()
				if left := f.End(200 * time.Millisecond); len(left) > 0 {
					t.Fatalf("left: %v", left)
				}
				if d := time.Since(start); d > 2*time.Second {
					t.Errorf("took %v", d)
				}
				if alive(run) {
					t.Errorf("pid %d is still there", run)
				}
				if err := f.Start(exec.Command("true")); err != ErrEnded {
					t.Errorf("start after the end: %v", err)
				}
			})
		}
	}
}

// Others on the machine are left alone.
func TestEndTouchesNobodyElse(t *testing.T) {
	other := exec.Command("sleep", "600")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()
	defer other.Process.Kill()
	f, err := New("ses-TESTTEST", "con-alone")
	if err != nil {
		t.Fatal(err)
	}
	g, err := New("ses-TESTTEST", "con-other")
	if err != nil {
		t.Fatal(err)
	}
	defer g.End(0)
	cmd := exec.Command("sleep", "600")
	if err := g.Start(cmd); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	if left := f.End(0); len(left) > 0 {
		t.Error(left)
	}
	if !alive(other.Process.Pid) || !alive(cmd.Process.Pid) {
		t.Error("a process of somebody else was ended")
	}
	g.End(0)
}

// A crash: nobody calls End, and another process sweeps.
func TestSweep(t *testing.T) {
	session := fmt.Sprintf("ses-%08d", os.Getpid()%1e8)
	f, err := New(session, "con-CRASHED1")
	if err != nil {
		t.Fatal(err)
	}
	pids := filepath.Join(t.TempDir(), "pids")
	script := escapes["no environment"]
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env = append(os.Environ(), "PIDS="+pids)
	if err := f.Start(cmd); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	pid := waitForPid(t, pids)
	if n, _ := Sweep("ses-SOMEBODY"); n != 0 {
		t.Fatalf("%d processes of another session were swept", n)
	}
	if !alive(pid) {
		t.Fatal("the sweep of another session ended it")
	}
	n, left := Sweep(session)
	if n == 0 || len(left) > 0 || alive(pid) {
		t.Errorf("swept %d, left %v, alive %v", n, left, alive(pid))
	}
	f.End(0)
}

// Children die with the thread that forked them, so with the agent.
func TestMarksSurviveExec(t *testing.T) {
	f, err := New("ses-TESTTEST", "con-marks")
	if err != nil {
		t.Fatal(err)
	}
	defer f.End(0)
	f.group.close()
	f.group = nil
	cmd := exec.Command("sh", "-c", "exec env -i sleep 600")
	if err := f.Start(cmd); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if !f.mark.on(process{pid: cmd.Process.Pid}) {
		t.Error("the mark is gone")
	}
	if f.mark.on(process{pid: os.Getpid()}) {
		t.Error("the agent bears the mark itself")
	}
}

func alive(pid int) bool {
	for _, p := range snapshot() {
		if p.pid == pid {
			return true
		}
	}
	return false
}

func waitForPid(t *testing.T, file string) (pid int) {
	t.Helper()
	until.True(t, "the process has started", func() bool {
		b, _ := os.ReadFile(file)
		f := strings.Fields(string(b))
		if len(f) == 0 || !strings.HasSuffix(string(b), "\n") {
			return false
		}
		var err error
		pid, err = strconv.Atoi(f[0])
		return err == nil && unix.Kill(pid, 0) == nil
	})
	return pid
}
