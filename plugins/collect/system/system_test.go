package system

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
)

func TestCollect(t *testing.T) {
	s := sinktest.New(t)
	c := New()
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	var f facts
	if err := json.Unmarshal([]byte(s.Find(summaryName).Text), &f); err != nil {
		t.Fatal(err)
	}
	if f.CPUs == 0 || f.Kernel == "" || f.MemTotal == 0 || f.Processes == 0 {
		t.Errorf("summary: %+v", f)
	}
	if ps := s.Find(processName).Text; !strings.Contains(ps, fmt.Sprintf("%d ", os.Getpid())) {
		t.Errorf("this process is not in the list:\n%.500s", ps)
	}
	if g := s.Find("memory/meminfo"); !strings.Contains(g.Text, "MemTotal:") {
		t.Errorf("meminfo: %+v", g)
	}
	// What this machine lacks is absent and no failure.
	for name, g := range s.Items {
		if g.Failed != "" {
			t.Errorf("%s failed: %s", name, g.Failed)
		}
	}
}

// Everything that is collected is declared, and every name is a good one.
func TestNeedsCoverEverything(t *testing.T) {
	n := New().Needs()
	seen := map[string]bool{}
	for _, f := range files {
		if !n.Path(f.path) {
			t.Errorf("%s is not declared", f.path)
		}
		if seen[f.name] || collect.CheckName(f.name) != nil {
			t.Errorf("name %q", f.name)
		}
		seen[f.name] = true
	}
	for _, c := range commands {
		if !n.Command(c.argv) {
			t.Errorf("%q is not declared", c.argv)
		}
		if seen[c.name] || collect.CheckName(c.name) != nil {
			t.Errorf("name %q", c.name)
		}
		seen[c.name] = true
	}
	if n.Command([]string{"sysctl", "-w", "x=1"}) || n.Path("/sys/class/net/eth0/address") {
		t.Error("more is declared than is used")
	}
}

func TestPlanListsWhatIsThere(t *testing.T) {
	plan, err := New().Plan(t.Context(), collect.Request{})
	if err != nil || len(plan) < len(commands)+10 {
		t.Errorf("%d items, %v", len(plan), err)
	}
}
