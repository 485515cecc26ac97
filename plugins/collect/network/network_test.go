package network

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
	"/etc/resolv.conf":                                          "nameserver 192.0.2.53\n",
	"/proc/1/net/bonding/bond0":                                 "Bonding Mode: IEEE 802.3ad\n",
	"/proc/1/net/bonding/bond1":                                 "Bonding Mode: active-backup\n",
	"/sys/class/net/eth0":                                       "->../../devices/pci0000:00/net/eth0",
	"/sys/devices/pci0000:00/net/eth0/operstate":                "up\n",
	"/sys/devices/pci0000:00/net/eth0/statistics/rx_crc_errors": "17\n",
	"/sys/devices/pci0000:00/net/eth0/device/uevent":            "DRIVER=igb\nPCI_ID=8086:1521\n",
	"/sys/class/net/veth12/operstate":                           "up\n",
	"/sys/class/net/bonding_masters":                            "bond0\n",
	"/sys/class/net/-k/device/uevent":                           "DRIVER=evil\n",
}

func TestServer(t *testing.T) {
	s := recorded.Server(t, New(), server)
	for name, want := range map[string]string{
		"dns/resolv.conf":                        "nameserver 192.0.2.53\n",
		"interfaces/bonding/bond1":               "Bonding Mode: active-backup\n",
		"interfaces/ethtool/eth0/driver.txt":     s.Commands["ethtool --driver eth0"],
		"interfaces/ethtool/eth0/link.txt":       s.Commands["ethtool eth0"],
		"interfaces/ethtool/eth0/statistics.txt": s.Commands["ethtool --statistics eth0"],
		"sockets/unix.txt":                       s.Commands["ss --all --processes --unix"],
	} {
		if g := s.Find(name); g.Text != want || g.Failed != "" {
			t.Errorf("%s: %q, failed %q", name, g.Text, g.Failed)
		}
	}
	interfaces := s.Find("interfaces/interfaces.txt").Text
	for _, want := range []string{"eth0/operstate: up\n", "eth0/device/uevent: DRIVER=igb\n", "eth0/statistics/rx_crc_errors: 17\n", "veth12/operstate: up\n"} {
		if !strings.Contains(interfaces, want) {
			t.Errorf("%q is not in\n%s", want, interfaces)
		}
	}
	if !s.Find("dns/resolv.conf").Config {
		t.Error("resolv.conf is configuration")
	}
	for _, name := range s.Order {
		if strings.Contains(name, "veth12") || strings.Contains(name, "/-k/") {
			t.Errorf("%s: ethtool is asked about what is no card", name)
		}
	}
}

func TestThisMachine(t *testing.T) {
	s := sinktest.ThisMachine(t, New())
	if g := s.Find("interfaces/interfaces.txt"); !strings.Contains(g.Text, "lo/operstate: ") {
		t.Errorf("%+v", g)
	}
}

// What is declared changes nothing, asks nobody outside and shows no key.
func TestOnlyQuestionsAreDeclared(t *testing.T) {
	n := New().Needs()
	for _, bad := range [][]string{
		{"ip", "link", "set", "eth0", "down"}, {"ip", "xfrm", "state"}, {"wg", "show", "all", "dump"}, {"nft", "flush", "ruleset"},
		{"ethtool", "--change", "eth0", "speed", "10"}, {"ping", "192.0.2.1"}, {"chronyc", "makestep"}, {"hwclock", "--systohc"},
	} {
		if n.Command(bad) {
			t.Errorf("%q is declared", bad)
		}
	}
}
