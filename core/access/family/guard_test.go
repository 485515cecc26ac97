package family

import (
	"bufio"
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

// agentVar turns the test program into an agent that serves one connection: it
// starts the shell script in the variable, and waits to be killed.
const agentVar = "FAMILY_TEST_AGENT"

func TestMain(m *testing.M) {
	Main()
	if script := os.Getenv(agentVar); script != "" {
		beAgent(script)
		return
	}
	os.Exit(m.Run())
}

func beAgent(script string) {
	connection := os.Getenv("FAMILY_TEST_CONNECTION")
	os.Unsetenv(agentVar)
	f, err := New("ses-GUARDIAN", connection)
	if err != nil {
		fmt.Println("new:", err)
		os.Exit(1)
	}
	if os.Getenv("FAMILY_TEST_GROUP") == "no" {
		f.group.close()
		f.group = nil
		guardAdopted(f)
	}
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env = os.Environ()
	if err := f.Start(cmd); err != nil {
		fmt.Println("start:", err)
		os.Exit(1)
	}
	go cmd.Wait()
	watching.Lock()
	fmt.Println("guardian", watching.now.cmd.Process.Pid)
	watching.Unlock()
	bufio.NewReader(os.Stdin).ReadString('\n')
	f.End(0)
}

// startAgent returns an agent in whose family the script runs, its guardian, and
// a process that the script wrote down.
func startAgent(t *testing.T, script, connection, group string) (agent *exec.Cmd, guardian, run int) {
	t.Helper()
	pids := filepath.Join(t.TempDir(), "pids")
	agent = exec.Command("/proc/self/exe")
	agent.Env = append(os.Environ(), agentVar+"="+script, "PIDS="+pids, "FAMILY_TEST_CONNECTION="+connection, "FAMILY_TEST_GROUP="+group)
	agent.Stderr = os.Stderr
	out, err := agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agent.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Process.Kill(); agent.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	word, number, _ := strings.Cut(strings.TrimSpace(line), " ")
	if guardian, err = strconv.Atoi(number); word != "guardian" || err != nil {
		t.Fatal(line)
	}
	return agent, guardian, waitForPid(t, pids)
}

func gone(t *testing.T, pid int, what string) time.Duration {
	t.Helper()
	start := time.Now()
	until.True(t, fmt.Sprintf("%s (pid %d) is gone", what, pid), func() bool { return !alive(pid) })
	return time.Since(start)
}

// REQ A10, J2: an agent that is killed takes with it whatever its engineers
// started, at once and not when it is started again.
func TestKilledAgentTakesAllWithIt(t *testing.T) {
	for _, group := range []string{"yes", "no"} {
		for name, script := range escapes {
			t.Run("group "+group+"/"+name, func(t *testing.T) {
				t.Parallel()
				agent, guardian, run := startAgent(t, script, "con-"+group+strings.ReplaceAll(name, " ", ""), group)
				if err := agent.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				agent.Wait()
				t.Logf("gone after %v", gone(t, run, "what the engineer started"))
				gone(t, guardian, "the guardian")
			})
		}
	}
}

// One that tries to be rid of its guardian gets another.
func TestGuardianIsReplaced(t *testing.T) {
	for name, sig := range map[string]unix.Signal{"killed": unix.SIGKILL, "asked to end": unix.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			agent, guardian, run := startAgent(t, escapes["setsid"], "con-rid"+strings.ReplaceAll(name, " ", ""), "no")
			until.True(t, "the guardian ignores SIGTERM", func() bool { return ignores(guardian, unix.SIGTERM) })
			unix.Kill(guardian, sig)
			if sig == unix.SIGKILL {
				gone(t, guardian, "the guardian")
				until.True(t, "there is another guardian", func() bool { return len(guardians(agent.Process.Pid)) > 0 })
			}
			agent.Process.Kill()
			agent.Wait()
			gone(t, run, "what the engineer started")
		})
	}
}

// ignores reports whether a process ignores a signal.
func ignores(pid int, sig unix.Signal) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(b), "SigIgn:")
	word, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
	mask, err := strconv.ParseUint(strings.TrimSpace(word), 16, 64)
	return err == nil && mask&(1<<(sig-1)) != 0
}

// guardians lists the children of an agent that are guardians.
func guardians(agent int) (pids []int) {
	for _, p := range snapshot() {
		b, _ := os.ReadFile(p.file("cmdline"))
		if p.parent == agent && strings.HasPrefix(string(b), guardianName+"\x00") {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// A guardian ends its own families and nobody else: not another connection's
// processes, not an agent that is alive, and none of a family that has ended.
func TestGuardianTouchesNobodyElse(t *testing.T) {
	_, other, bystander := startAgent(t, escapes["plain"], "con-bystander", "no")
	agent, guardian, run := startAgent(t, escapes["plain"], "con-killed", "no")
	mine := exec.Command("sleep", "600")
	if err := mine.Start(); err != nil {
		t.Fatal(err)
	}
	defer mine.Wait()
	defer mine.Process.Kill()
	agent.Process.Kill()
	agent.Wait()
	gone(t, run, "what the engineer started")
	gone(t, guardian, "the guardian")
	for what, pid := range map[string]int{"another guardian": other, "a process of another connection": bystander, "a process of somebody else": mine.Process.Pid} {
		if !alive(pid) {
			t.Errorf("%s was ended", what)
		}
	}
}

// When the last family has ended there is no guardian.
func TestGuardianGoes(t *testing.T) {
	f, err := New("ses-TESTTEST", "con-GOESGOES")
	if err != nil {
		t.Fatal(err)
	}
	watching.Lock()
	pid := watching.now.cmd.Process.Pid
	only := len(watching.families) == 1
	watching.Unlock()
	f.End(0)
	if only { // of tests that run beside this one
		gone(t, pid, "the guardian")
	}
}

// No signal goes to our own group, to everybody, or to a process that has got the
// number of one that was seen.
func TestSignalTouchesNobodyElse(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	for _, p := range []process{{}, {pid: -1}, {pid: 1}, {pid: -cmd.Process.Pid}, {pid: cmd.Process.Pid, started: "1"}} {
		signal(p, unix.SIGKILL)
	}
	if p, ok := look(cmd.Process.Pid); !ok {
		t.Error("it was killed by the number of another")
	} else {
		signal(p, unix.SIGKILL)
	}
	gone(t, cmd.Process.Pid, "the process")
}
