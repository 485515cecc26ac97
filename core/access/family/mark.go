package family

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// domainPrefix begins the NIS domain name of our namespaces.
const domainPrefix = "latchstring/"

// A mark passes from the forking thread to every process below it.
type mark struct {
	namespace *os.File // pins the number, so that it is not given away
	dev, ino  uint64
	slack     uint64 // in ns; 0 when the namespace is the mark
}

// newMark marks the calling thread, which is locked.
func newMark(session, connection string) mark {
	if err := unix.Unshare(unix.CLONE_NEWUTS); err == nil {
		if f, err := os.Open("/proc/thread-self/ns/uts"); err == nil {
			var st unix.Stat_t
			if unix.Fstat(int(f.Fd()), &st) == nil {
				nameDomain(domainPrefix + session + "/" + connection)
				return mark{namespace: f, dev: st.Dev, ino: st.Ino}
			}
			f.Close()
		}
	}
	m := mark{slack: nextSlack()}
	if unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(m.slack), 0, 0, 0) != nil {
		m.slack = 0
	}
	return m
}

// nameDomain leaves a domain alone that the machine uses.
func nameDomain(name string) {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return
	}
	switch unix.ByteSliceToString(u.Domainname[:]) {
	case "", "(none)":
		if len(name) <= 64 {
			_ = unix.Setdomainname([]byte(name))
		}
	}
}

var slacks atomic.Uint64

// nextSlack is 50 µs, the default, and at most 10 µs more.
func nextSlack() uint64 {
	return 50_001 + (uint64(os.Getpid())*37+slacks.Add(1))%9_998
}

// on reports whether p bears the mark.
func (m mark) on(p process) bool {
	if m.namespace != nil {
		dev, ino, ok := p.namespace()
		return ok && dev == m.dev && ino == m.ino
	}
	return m.slack != 0 && p.slack() == m.slack
}

func (m mark) close() {
	if m.namespace != nil {
		m.namespace.Close()
	}
}

// domainOf reads the NIS domain name inside of the namespace of p. The calling
// thread is locked and is not used for anything else afterwards.
func domainOf(p process) string {
	ns, err := os.Open("/proc/" + strconv.Itoa(p.pid) + "/ns/uts")
	if err != nil {
		return ""
	}
	defer ns.Close()
	if unix.Setns(int(ns.Fd()), unix.CLONE_NEWUTS) != nil {
		return ""
	}
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	name := unix.ByteSliceToString(u.Domainname[:])
	if !strings.HasPrefix(name, domainPrefix) {
		return ""
	}
	return name
}
