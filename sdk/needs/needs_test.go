package needs

import "testing"

func TestPath(t *testing.T) {
	l := List{Paths: []string{"/var/log/**", "/etc/*.conf", "/proc/meminfo", "/sys/class/*/address"}}
	tests := map[string]bool{
		"/var/log/messages":         true,
		"/var/log/a/b/c":            true,
		"/var/log":                  false,
		"/var/log/":                 false,
		"/var/logs/x":               false,
		"/var/log/../../etc/shadow": false,
		"/var//log/x":               false,
		"/etc/a.conf":               true,
		"/etc/x/a.conf":             false,
		"/etc/shadow":               false,
		"/proc/meminfo":             true,
		"proc/meminfo":              false,
		"/sys/class/net0/address":   true,
		"":                          false,
	}
	for p, want := range tests {
		if got := l.Path(p); got != want {
			t.Errorf("Path(%q) = %v", p, got)
		}
	}
	if all := (List{Paths: []string{"/**"}}); !all.Path("/etc/shadow") || all.Path("/") {
		t.Error("/** is not everything below /")
	}
	if (List{}).Path("/x") {
		t.Error("the zero list grants a path")
	}
}

func TestCommand(t *testing.T) {
	l := List{Commands: [][]string{{"lsblk", "--json"}, {"ip", "-j", "*"}, {"journalctl", "..."}, {"*"}, {"..."}}}
	tests := []struct {
		argv []string
		want bool
	}{
		{[]string{"lsblk", "--json"}, true},
		{[]string{"lsblk"}, false},
		{[]string{"lsblk", "--json", "-O"}, false},
		{[]string{"ip", "-j", "addr"}, true},
		{[]string{"ip", "-j"}, false},
		{[]string{"ip", "-j", "addr", "flush"}, false},
		{[]string{"journalctl"}, true},
		{[]string{"journalctl", "-b", "-u", "x"}, true},
		{[]string{"sh"}, false},
		{[]string{"sh", "-c", "id"}, false},
		{nil, false},
	}
	for _, tt := range tests {
		if got := l.Command(tt.argv); got != tt.want {
			t.Errorf("Command(%q) = %v", tt.argv, got)
		}
	}
}

func TestPort(t *testing.T) {
	l := List{Ports: []string{"443", "8000-8080", "x", "9-", "70000"}}
	for port, want := range map[uint16]bool{443: true, 444: false, 8000: true, 8080: true, 8081: false, 9: false, 0: false} {
		if got := l.Port(port); got != want {
			t.Errorf("Port(%d) = %v", port, got)
		}
	}
	if !(List{Ports: []string{"*"}}).Port(1) {
		t.Error("* is not every port")
	}
}
