package main

import (
	"os"
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
	"github.com/latchstring/latchstring/testdata/cmdtest"
)

func TestMain(m *testing.M) {
	launch.Main() // also when this process was started under no command's name
	testscript.Main(cmdtest.Build(m, map[string]string{"latchstring-plugins": "../../plugins"}), map[string]func(){"send-bundle": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Values[relayKey{}] = &relayOfScript{t: t}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":   cmdtest.Code,
			"relay":  relayCmd,
			"enroll": enroll,
			"grow":   grow,
			"ask":    askFor,
		},
	})
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
