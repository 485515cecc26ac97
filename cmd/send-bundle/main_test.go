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
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
)

func TestMain(m *testing.M) {
	launch.Main() // also when this process was started under no command's name
	testscript.Main(builder{m}, map[string]func(){"send-bundle": main})
}

// builder builds the plugins beside the command that the scripts run, where a
// host looks for them.
type builder struct{ m *testing.M }

func (b builder) Run() int {
	bin, _, _ := strings.Cut(os.Getenv("PATH"), string(filepath.ListSeparator))
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "latchstring-plugins"), "../../plugins")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build plugins: %v\n%s", err, out)
		return 1
	}
	return b.m.Run()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Values[relayKey{}] = &relayOfScript{t: t}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":   code,
			"relay":  relayCmd,
			"enroll": enroll,
			"grow":   grow,
			"ask":    askFor,
		},
	})
}

// code N COMMAND... runs a command that must end with that exit code.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

type relayKey struct{}

type relayOfScript struct {
	t *testing.T
	r *relaytest.Relay
}

// relay start|stop runs a relay. RSS becomes its address, VENDORKEY the file
// with the key that opens bundles.
func relayCmd(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(relayKey{}).(*relayOfScript)
	switch {
	case neg || len(args) != 1:
		ts.Fatalf("usage: relay start|stop")
	case args[0] == "stop":
		s.r.Stop()
	case s.r == nil:
		s.r = relaytest.New(s.t)
		ts.Setenv("RSS", s.r.Address)
		ts.Setenv("VENDORKEY", filepath.Join(s.r.Loaded.Places.HandOut, setup.BundleKeyName))
	default:
		s.r.Start()
	}
}

// enroll ROOT makes the system below ROOT known to the relay.
func enroll(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(relayKey{}).(*relayOfScript)
	root, err := paths.New(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(root.Make())
	sys, err := identity.Open(root.Identity())
	ts.Check(err)
	resp, err := client.Enroll(s.t.Context(), sys, s.r.Token("sa"), "", "sa.test", nil)
	ts.Check(err)
	ts.Check(sys.Pin(resp.Vendor, false))
}

// grow FILE BYTES makes a file of that many bytes in lines.
func grow(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	line := "a line of a log that says nothing in particular\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(line, n/len(line)+1)[:n]), 0o600))
}
