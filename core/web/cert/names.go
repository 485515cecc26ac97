package cert

import (
	"net"
	"os"
	"slices"
	"strings"
)

// SystemNames are the names and addresses of this machine: its host name, whole
// and up to the first dot, the names that /etc/hosts gives it, those in the
// domains of /etc/resolv.conf if it does not know its own, and the addresses of
// its interfaces but for loopback. Nobody is asked over the network.
func SystemNames() []string {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	hosts, _ := os.ReadFile("/etc/hosts")          // without it there is less to say
	resolver, _ := os.ReadFile("/etc/resolv.conf") // likewise
	all := systemNames(host, string(hosts), string(resolver))
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return all
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			all = append(all, n.IP.String())
		}
	}
	return all
}

func systemNames(host, hosts, resolver string) []string {
	host = tidy(host)
	if host == "" {
		return nil
	}
	short, _, qualified := strings.Cut(host, ".")
	all := []string{host}
	add := func(name string) {
		if name = tidy(name); name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	for line := range strings.Lines(hosts) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 || !slices.ContainsFunc(fields[1:], func(s string) bool { return tidy(s) == host || tidy(s) == short }) {
			continue
		}
		for _, name := range fields[1:] {
			if first, _, _ := strings.Cut(tidy(name), "."); first == short {
				add(name)
				qualified = qualified || strings.Contains(tidy(name), ".")
			}
		}
	}
	if !qualified {
		for line := range strings.Lines(resolver) {
			if fields := strings.Fields(line); len(fields) > 1 && (fields[0] == "search" || fields[0] == "domain") {
				for _, domain := range fields[1:] {
					if domain = tidy(domain); domain != "" {
						add(short + "." + domain)
					}
				}
			}
		}
	}
	add(short)
	return all
}

func tidy(name string) string { return strings.ToLower(strings.Trim(name, ". \t\r\n")) }
