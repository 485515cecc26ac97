package gentle

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Run in a child, because a process cannot take its priority back.
func TestYield(t *testing.T) {
	if os.Getenv("GENTLE_CHILD") != "" {
		if err := Yield(); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("nice").Output() // what a child inherits
		if err != nil {
			t.Fatal(err)
		}
		if n, err := strconv.Atoi(strings.TrimSpace(string(out))); err != nil || n < Nice {
			t.Fatalf("a child runs with nice %s", out)
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestYield")
	cmd.Env = append(os.Environ(), "GENTLE_CHILD=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
