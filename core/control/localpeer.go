package control

import (
	"bufio"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// LocalPeer finds the process at the other end of a TCP connection from this
// same machine. local is false when it comes from another one. pid is -1 when
// the process cannot be found: it belongs to another user, or is gone.
//
// It is there for the web pages: an engineer who is let in could reach them
// from his shell, or through a forward, in which case it is this very process
// that is at the other end.
func LocalPeer(c net.Conn) (uid uint32, pid int32, local bool) {
	from, ok1 := addrPort(c.RemoteAddr())
	to, ok2 := addrPort(c.LocalAddr())
	if !ok1 || !ok2 || !ownAddress(from.Addr(), to.Addr()) {
		return nobody, 0, false
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if uid, inode, found := findSocket(table, from, to); found {
			return uid, holder(inode), true
		}
	}
	return nobody, -1, true
}

func addrPort(a net.Addr) (netip.AddrPort, bool) {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	p := t.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port()), true
}

func ownAddress(from, to netip.Addr) bool {
	if from.IsLoopback() || from == to {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // looked for, and not found
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok && ip.Unmap() == from {
				return true
			}
		}
	}
	return false
}

// findSocket looks for the socket that leads from one address to another in a
// table of the kernel (proc_net_tcp(5)).
func findSocket(table string, from, to netip.AddrPort) (uid uint32, inode string, found bool) {
	f, err := os.Open(table)
	if err != nil {
		return 0, "", false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || kernelAddress(fields[1]) != from || kernelAddress(fields[2]) != to {
			continue
		}
		n, err := strconv.ParseUint(fields[7], 10, 32)
		return uint32(n), fields[9], err == nil
	}
	return 0, "", false
}

// kernelAddress reads 0100007F:2328: words of 32 bits in the byte order of the
// machine, which is little here.
func kernelAddress(s string) netip.AddrPort {
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	p, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || len(b)%4 != 0 {
		return netip.AddrPort{}
	}
	for i := 0; i < len(b); i += 4 {
		b[i], b[i+1], b[i+2], b[i+3] = b[i+3], b[i+2], b[i+1], b[i]
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(p))
}

// holder finds a process that has a socket, this one first: -1 if none is seen.
func holder(inode string) int32 {
	want := "socket:[" + inode + "]"
	if hasSocket("/proc/self", want) {
		return int32(os.Getpid())
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return -1
	}
	for _, dir := range all {
		if hasSocket(dir, want) {
			if pid, err := strconv.ParseInt(filepath.Base(dir), 10, 32); err == nil {
				return int32(pid)
			}
		}
	}
	return -1
}

func hasSocket(dir, want string) bool {
	fds, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return false
	}
	for _, fd := range fds {
		if to, err := os.Readlink(dir + "/fd/" + fd.Name()); err == nil && to == want {
			return true
		}
	}
	return false
}
