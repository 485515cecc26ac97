package family

import (
	"net"
	"os"
	"strconv"
	"strings"
)

// Owners finds the processes that hold the other end of a connection over
// loopback: those that a daemon has forked for it. The one that listens is not
// among them, even where it has not let go of the connection yet: it serves
// others too.
func Owners(conn net.Conn) []int {
	local, ok1 := conn.LocalAddr().(*net.TCPAddr)
	remote, ok2 := conn.RemoteAddr().(*net.TCPAddr)
	if !ok1 || !ok2 {
		return nil
	}
	inode, listens := "", map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := os.ReadFile(table)
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) < 10 || !hasPort(f[1], remote.Port) || f[9] == "0" {
				continue
			}
			switch name := "socket:[" + f[9] + "]"; {
			case f[3] == tcpListen:
				listens[name] = true
			case hasPort(f[2], local.Port):
				inode = name
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
		if p.holds(func(name string) bool { return name == inode }) && !p.holds(func(name string) bool { return listens[name] }) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// tcpListen is the state TCP_LISTEN in /proc/net/tcp.
const tcpListen = "0A"

// hasPort reads an address of /proc/net/tcp: hexadecimal, with the port at the end.
func hasPort(address string, port int) bool {
	_, p, _ := strings.Cut(address, ":")
	n, err := strconv.ParseUint(p, 16, 16)
	return err == nil && int(n) == port
}
