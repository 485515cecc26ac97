package kernel

import (
	"encoding/json"
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

var server = map[string]string{
	"/proc/sys/kernel/tainted": "4097\n", // P and O
	"/proc/modules": `zfs 3145728 3 - Live 0xffffffffc0a00000 (POE)
spl 131072 1 zfs, Live 0xffffffffc0900000 (OE)
ext4 983040 1 - Live 0xffffffffc0000000
broken
`,
	"/sys/module/zfs/version":                                "2.1.11-1\n",
	"/sys/module/zfs/taint":                                  "POE\n",
	"/sys/devices/system/cpu/vulnerabilities/meltdown":       "Not affected\n",
	"/sys/devices/system/cpu/vulnerabilities/spectre_v2":     "Vulnerable\n",
	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "128\n",
	"/proc/pressure/io":                                      "some avg10=1.00 avg60=0.00 avg300=0.00 total=1\n",
}

func TestServer(t *testing.T) {
	s := recorded.Server(t, New(), server)
	var got taints
	if err := json.Unmarshal([]byte(s.Find("taints.json").Text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Value != 4097 || len(got.Reasons) != 2 || got.Reasons[0].Letter != "P" || !slices.Equal(got.Reasons[0].Modules, []string{"zfs"}) ||
		got.Reasons[1].Letter != "O" || !slices.Equal(got.Reasons[1].Modules, []string{"spl", "zfs"}) {
		t.Errorf("taints: %+v", got)
	}
	text := s.Find("modules/modules.txt").Text
	if !strings.HasPrefix(text, "3 modules, 2 of them taint the kernel\n") || strings.Index(text, "ext4") < strings.Index(text, "zfs") || !strings.Contains(text, "spl     131072   Live   OE      zfs\n") {
		t.Errorf("modules:\n%s", text)
	}
	for name, want := range map[string]string{
		"security/vulnerabilities.txt": "vulnerabilities/meltdown: Not affected\nvulnerabilities/spectre_v2: Vulnerable\n",
		"modules/details.txt":          "zfs/version: 2.1.11-1\nzfs/taint: POE\n",
		"memory/hugepages.txt":         "hugepages-2048kB/nr_hugepages: 128\n",
		"crash/previous-boot.txt":      s.Commands[strings.Join(previous.Argv, " ")],
		"sysctl.txt":                   s.Commands["sysctl --all"],
	} {
		if g := s.Find(name); g.Text != want || g.Failed != "" {
			t.Errorf("%s: %q, failed %q", name, g.Text, g.Failed)
		}
	}
}

func TestExplain(t *testing.T) {
	if got := explain(0, nil); got.Reasons == nil || len(got.Reasons) != 0 {
		t.Errorf("a clean kernel: %+v", got)
	}
	if got := explain(1<<63|1<<9, nil); len(got.Reasons) != 2 || got.Reasons[0].Letter != "W" || got.Reasons[1].Bit != 63 {
		t.Errorf("an unknown bit: %+v", got)
	}
	letters := ""
	for _, b := range taintBits {
		letters += b.letter
	}
	if letters != "PFSRMBUDAWCIOELKXTNJ" { // as `oops` prints them, bit 0 first
		t.Errorf("letters %s", letters)
	}
}

func FuzzParseModules(f *testing.F) {
	f.Add("zfs 3145728 3 spl, Live 0xffffffffc0a00000 (POE)\n")
	f.Add("a b c d e (")
	f.Fuzz(func(t *testing.T, text string) {
		mods := parseModules(text)
		if out := modulesText(mods); len(out) == 0 {
			t.Error("no text")
		}
	})
}

func TestThisMachine(t *testing.T) {
	s := sinktest.ThisMachine(t, New())
	if !strings.Contains(s.Find("taints.json").Text, `"value"`) || s.Find("version").Text == "" {
		t.Error("the kernel of this machine says nothing")
	}
}

func TestOnlyQuestionsAreDeclared(t *testing.T) {
	n := New().Needs()
	for _, bad := range [][]string{{"sysctl", "--write", "a=b"}, {"dmesg", "--clear"}, {"journalctl", "--vacuum-size=1"}, {"modprobe", "x"}} {
		if n.Command(bad) {
			t.Errorf("%q is declared", bad)
		}
	}
	if n.Path("/proc/kcore") || n.Path("/proc/1/environ") {
		t.Error("more is declared than is read")
	}
}
