package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

func TestMain(m *testing.M) {
	launch.Main() // also when this process was started under no command's name
	testscript.Main(builder{m}, map[string]func(){"remote-support": main})
}

// builder builds the plugins beside the command that the scripts run, where a
// host looks for them.
type builder struct{ m *testing.M }

func (b builder) Run() int {
	bin, _, _ := strings.Cut(os.Getenv("PATH"), string(filepath.ListSeparator))
	// The second is a plugin of another publisher, for the scripts to install.
	for name, pkg := range map[string]string{"latchstring-plugins": "../../plugins", "example-plugin": "../../sdk/examples/plugin"} {
		build := exec.Command("go", "build", "-o", filepath.Join(bin, name), pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	return b.m.Run()
}

func TestScripts(t *testing.T) {
	const dir = "testdata/script"
	scripts, err := filepath.Glob(dir + "/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, script := range scripts {
		s := &scene{t: t, seen: map[string]*output{}, agents: map[string]*exec.Cmd{}}
		cmds := s.commands()
		cmds["code"] = code
		cmds["relay"] = func(ts *testscript.TestScript, _ bool, _ []string) { s.relay = relay(t, ts) }
		testscript.Run(t, testscript.Params{Files: []string{script}, Cmds: cmds})
	}
}

// relay starts a relay. RSS becomes its address, and the file token one of its
// tokens.
func relay(t *testing.T, ts *testscript.TestScript) *relaytest.Relay {
	r := relaytest.New(t)
	ts.Setenv("RSS", r.Address)
	host, err := os.Hostname()
	ts.Check(err)
	ts.Setenv("HOST", host)
	ts.Check(os.WriteFile(ts.MkAbs("token"), []byte(r.Token("array-7").String()+"\n"), 0o600))
	return r
}

// code N COMMAND... runs a command that must end with that exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
