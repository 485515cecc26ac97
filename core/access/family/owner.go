package family

import (
	"net"
	"os"
	"strconv"
	"strings"
)

// Owners finds the processes that hold the other end of a connection over
// loopback: the daemon that accepted it, and what it has forked for it.
func Owners(conn net.Conn) []int {
	local, ok1 := conn.LocalAddr().(*net.TCPAddr)
	remote, ok2 := conn.RemoteAddr().(*net.TCPAddr)
	if !ok1 || !ok2 {
		return nil
	}
	inode := ""
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := os.ReadFile(table)
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 9 && hasPort(f[1], remote.Port) && hasPort(f[2], local.Port) && f[9] != "0" {
				inode = "socket:[" + f[9] + "]"
			}
		}
	}
	if inode == "" {
		return nil
	}
	var pids []int
	for _, p := range snapshot() {
		if p.pid == os.Getpid() {
			continue
		}
		if p.holds(func(name string) bool { return name == inode }) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// hasPort reads an address of /proc/net/tcp: hexadecimal, with the port at the end.
func hasPort(address string, port int) bool {
	_, p, _ := strings.Cut(address, ":")
	n, err := strconv.ParseUint(p, 16, 16)
	return err == nil && int(n) == port
}
