package services

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/plugins/collect/internal/recorded"
	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

func TestConformance(t *testing.T) {
	plugintest.Collector(t, func() collect.Collector { return New() }, plugintest.Options{Commands: recorded.Commands(t, "testdata/commands.txtar")})
}

const limits = `Limit                     Soft Limit           Hard Limit           Units
Max core file size        0                    unlimited            bytes
Max processes             96102                96102                processes
Max open files            4                    524288               files
`

// proc is the folder of a process.
func proc(m map[string]string, pid int, name, environ string, files int) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	m[dir+"status"] = "Name:\t" + name + "\nState:\tS (sleeping)\nUid:\t1000\t1000\t1000\t1000\nThreads:\t3\n"
	m[dir+"limits"], m[dir+"environ"] = limits, environ
	m[dir+"cgroup"] = "12:pids:/x\n0::/system.slice/" + name + ".service\n"
	m[dir+"oom_score"], m[dir+"oom_score_adj"] = "667\n", "-500\n"
	for i := range files {
		m[fmt.Sprintf("%sfd/%d", dir, i)] = ""
	}
}

func TestServer(t *testing.T) {
	m := map[string]string{
		"/proc/version":                          "Linux",
		"/proc/77/limits":                        "a process that ended",
		"/sys/fs/cgroup/cgroup.controllers":      "cpu memory\n",
		"/sys/fs/cgroup/memory.pressure":         "some avg10=0.00 avg60=0.00 avg300=0.10 total=1\nfull avg10=0.00 avg60=0.00 avg300=2.50 total=1\n",
		"/sys/fs/cgroup/app.slice/memory.events": "low 0\nhigh 7\nmax 0\noom 3\noom_kill 2\n",
		"/sys/fs/cgroup/app.slice/cpu.max":       "200000 100000\n",
		"/sys/fs/cgroup/app.slice/memory.max":    "max\n",
	}
	proc(m, 10, "quiet", "PATH=/bin\x00HOME=/\x00", 1)
	proc(m, 20, "leaky", "DB_PASSWORD=hunter2\x00https_proxy=http://u:hunter2@p\x00TOKEN=a\nb=hunter2\x00DB_PASSWORD=twice\x00", 4)
	proc(m, 30, "titled", "postgres: hunter2 [local] a=b\x00hunter2\x00=hunter2\x00", 2)
	c := New()
	s := recorded.New(t, recorded.Commands(t, "testdata/commands.txtar"), recorded.Lay(t, m), c.Needs())
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(s.Find("limits.txt").Text, "\n")
	if len(rows) != 5 || !slices.Equal(strings.Fields(rows[1]), []string{"20", "1000", "S", "3", "4", "4", "100%", "96102", "0", "667", "-500", "leaky", "/system.slice/leaky.service"}) {
		t.Errorf("not the fullest first:\n%s", strings.Join(rows, "\n"))
	}
	if got, want := s.Find("environment-names.txt").Text, "10 quiet: HOME PATH\n20 leaky: DB_PASSWORD TOKEN https_proxy\n"; got != want {
		t.Errorf("environment: %q, want %q", got, want)
	}
	groups := strings.Split(s.Find("groups.txt").Text, "\n")
	if len(groups) != 4 || !slices.Equal(strings.Fields(groups[2]), strings.Fields("- - - - - max - 3 2 7 - - 200000/100000 - - - /app.slice")) || !strings.Contains(groups[1], " 2.50 ") {
		t.Errorf("groups:\n%s", strings.Join(groups, "\n"))
	}
	for name, g := range s.Items {
		if strings.Contains(g.Text, "hunter2") || g.Failed != "" {
			t.Errorf("%s holds a value, or failed: %s", name, g.Failed)
		}
	}
}

func FuzzEnvironment(f *testing.F) {
	f.Add("PATH=/bin\x00A=b=c\x00")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range environment(text) {
			if !strings.Contains(text, name+"=") || strings.ContainsAny(name, "= \n\x00") {
				t.Errorf("%q of %q", name, text)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("0::/a\n1:name=systemd:/b\n", "full")
	f.Fuzz(func(t *testing.T, text, key string) {
		parseCgroup(text)
		parseStatus(text)
		limit(text, key)
		if pick(text, key) == "" {
			t.Error("an empty cell")
		}
	})
}

func TestThisMachine(t *testing.T) {
	t.Setenv("LATCHSTRING_TEST_OF_NAMES", "value-that-stays")
	s := sinktest.ThisMachine(t, New())
	if text := s.Find("limits.txt").Text; len(strings.Split(text, "\n")) < 3 || strings.Contains(text, fmt.Sprintf("\n%d ", os.Getpid())) {
		t.Errorf("processes:\n%.500s", text)
	}
}
