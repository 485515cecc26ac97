package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/cmdtest"
)

func TestMain(m *testing.M) {
	launch.Main() // also when this process was started under no command's name
	family.Main()
	// The second is a plugin of another publisher, for the scripts to install.
	testscript.Main(cmdtest.Build(m, map[string]string{"latchstring-plugins": "../../plugins", "example-plugin": "../../sdk/examples/plugin"}), map[string]func(){"remote-support": main})
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
		cmds["code"] = cmdtest.Code
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
