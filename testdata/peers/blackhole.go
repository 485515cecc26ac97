package peers

import (
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// BlackHole is a way to target on which packets over 600 bytes are lost without
// a word, as behind a tunnel whose ICMP messages somebody filters. It needs a
// network namespace, and skips the test where there is none to be had. It
// returns the address.
func BlackHole(t testing.TB, target string) string {
	t.Helper()
	NeedRoot(t)
	Need(t, "ip")
	name := "peer" + strconv.Itoa(os.Getpid())
	try := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(find("ip"), args...).CombinedOutput(); err != nil {
			t.Skipf("no network namespaces here: ip %v: %s", args, out)
		}
	}
	const here, there, network = "198.18.77.1", "198.18.77.2", "198.18.77.0/30"
	try("netns", "add", name)
	t.Cleanup(func() { exec.Command(find("ip"), "netns", "del", name).Run() })
	try("link", "add", name, "type", "veth", "peer", "name", "in", "netns", name)
	t.Cleanup(func() { exec.Command(find("ip"), "link", "del", name).Run() })
	// One segment a packet, or else they are not measured on this link.
	try("link", "set", name, "gso_max_segs", "1", "up")
	try("addr", "add", here+"/30", "dev", name)
	try("-n", name, "addr", "add", there+"/30", "dev", "in")
	try("-n", name, "link", "set", "in", "mtu", "600", "up")
	// It promises to take what it then cannot.
	try("-n", name, "route", "replace", network, "dev", "in", "advmss", "1460")
	l := listenIn(t, "/run/netns/"+name, there+":0")
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				on, err := net.Dial("tcp", target)
				if err != nil {
					return
				}
				defer on.Close()
				go io.Copy(on, conn)
				io.Copy(conn, on)
			}()
		}
	}()
	return l.Addr().String()
}

// listenIn listens in another network namespace.
func listenIn(t testing.TB, namespace, addr string) net.Listener {
	t.Helper()
	type result struct {
		l   net.Listener
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is spoilt and ends
		f, err := os.Open(namespace)
		if err != nil {
			done <- result{nil, err}
			return
		}
		defer f.Close()
		if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{nil, err}
			return
		}
		l, err := net.Listen("tcp", addr)
		done <- result{l, err}
	}()
	r := <-done
	if r.err != nil {
		t.Skipf("no network namespaces here: %v", r.err)
	}
	return r.l
}

// NoRoute is an address to which this machine has no route.
func NoRoute(t testing.TB) string {
	t.Helper()
	NeedRoot(t)
	Need(t, "ip")
	const nowhere = "198.51.100.77"
	if out, err := exec.Command(find("ip"), "route", "add", "unreachable", nowhere+"/32").CombinedOutput(); err != nil {
		t.Skipf("no routes can be set here: %s", out)
	}
	t.Cleanup(func() { exec.Command(find("ip"), "route", "del", "unreachable", nowhere+"/32").Run() })
	return nowhere + ":443"
}
