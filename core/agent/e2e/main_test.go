package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/host/launch"
)

var update = flag.Bool("update", false, "write what was tested into docs/TRANSPORTS.md")

// The plugins lie beside the program that hosts them, as where they are
// installed.
func TestMain(m *testing.M) {
	launch.Main()
	family.Main()
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	program := filepath.Join(filepath.Dir(self), "latchstring-plugins")
	build := exec.Command("go", "build", "-o", program, "../../../plugins")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build plugins: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.Remove(program)
	os.Exit(code)
}
