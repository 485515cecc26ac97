package bundler

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/latchstring/latchstring/core/host/launch"
)

// pluginProgram is the built-in plugins, built for these tests.
var pluginProgram string

func TestMain(m *testing.M) {
	launch.Main()
	dir, err := os.MkdirTemp("", "bundler-test-")
	if err != nil {
		panic(err)
	}
	os.Chmod(dir, 0o755) // plugins run as nobody
	pluginProgram = filepath.Join(dir, "latchstring-plugins")
	build := exec.Command("go", "build", "-o", pluginProgram, "../../plugins")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build plugins: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Chmod(pluginProgram, 0o755)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}
