package storage

import (
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
	"/sys/class/fc_host/host1":                                           "->../../devices/pci/host1/fc_host/host1",
	"/sys/devices/pci/host1/fc_host/host1/port_state":                    "Online\n",
	"/sys/devices/pci/host1/fc_host/host1/port_name":                     "0x10000090fa000001\n",
	"/sys/devices/pci/host1/fc_host/host1/statistics/link_failure_count": "0x3\n",
	"/sys/class/scsi_host/host1/proc_name":                               "lpfc\n",
	"/sys/class/iscsi_session/session1/state":                            "LOGGED_IN\n",
	"/sys/class/iscsi_session/session1/password":                         "hunter2hunter2\n",
	"/sys/block/md0/md/array_state":                                      "clean\n",
	"/sys/block/md0/md/degraded":                                         "1\n",
	"/sys/block/dm-3/dm/name":                                            "mpatha\n",
	"/sys/block/md -Q/size":                                              "1\n",
	"/sys/fs/ext4/sda1/errors_count":                                     "2\n",
	"/etc/multipath.conf":                                                "defaults {\n}\n",
}

func TestServer(t *testing.T) {
	s := recorded.Server(t, New(), server)
	for name, want := range map[string]string{
		"fc/hosts.txt":             "host1/port_name: 0x10000090fa000001\nhost1/port_state: Online\nhost1/statistics/link_failure_count: 0x3\n",
		"scsi/hosts.txt":           "host1/proc_name: lpfc\n",
		"iscsi/sessions.txt":       "session1/state: LOGGED_IN\n",
		"dm/devices.txt":           "dm-3/dm/name: mpatha\n",
		"md/arrays.txt":            "md0/md/array_state: clean\nmd0/md/degraded: 1\nmd -Q/size: 1\n",
		"ext4/filesystems.txt":     "sda1/errors_count: 2\n",
		"md/md0.txt":               s.Commands["mdadm --detail /dev/md0"],
		"multipath/topology.txt":   s.Commands["multipath -ll"],
		"multipath/multipath.conf": "defaults {\n}\n",
	} {
		if g := s.Items[name]; g == nil || len(strings.Split(g.Text, "\n")) != len(strings.Split(want, "\n")) || g.Failed != "" {
			t.Errorf("%s: %+v", name, g)
		} else {
			for line := range strings.Lines(want) {
				if !strings.Contains(g.Text, line) {
					t.Errorf("%s: no %q in %q", name, line, g.Text)
				}
			}
		}
	}
	for name, g := range s.Items {
		if strings.Contains(g.Text, "hunter2") {
			t.Errorf("%s holds the password of a session", name)
		}
		if strings.Contains(g.Source, "-Q") {
			t.Errorf("%s asks about what is no array", name)
		}
	}
}

// What a machine lacks is absent and no failure.
func TestBareMachine(t *testing.T) { recorded.Bare(t, New()) }

func TestThisMachine(t *testing.T) {
	s := sinktest.ThisMachine(t, New())
	if g := s.Find("mounts/mountinfo"); !strings.Contains(g.Text, " / ") {
		t.Errorf("%+v", g)
	}
}

// What is declared changes nothing and shows no key: dmsetup shows those of
// encrypted disks when it is asked with --showkeys, iscsiadm those of CHAP
// with --show.
func TestOnlyQuestionsAreDeclared(t *testing.T) {
	n := New().Needs()
	for _, bad := range [][]string{
		{"dmsetup", "table", "--showkeys"}, {"iscsiadm", "--mode=node", "--show"}, {"lvremove", "vg0/root"}, {"mdadm", "--stop", "/dev/md0"},
		{"multipath", "-F"}, {"zpool", "destroy", "tank"},
	} {
		if n.Command(bad) {
			t.Errorf("%q is declared", bad)
		}
	}
}
