package family

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// domainPrefix begins the NIS domain name of our namespaces.
const domainPrefix = "latchstring/"

// A mark passes from the forking thread to every process below it.
type mark struct {
	namespace *os.File // pins the number, so that it is not given away
	dev, ino  uint64
	token     *os.File // an empty file in memory, inherited, where there is no namespace
	name      string   // of the token, as /proc shows it
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
	name := "latchstring:" + session + ":" + connection
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return mark{}
	}
	_, _ = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	return mark{token: os.NewFile(uintptr(fd), name), name: "/memfd:" + name + " (deleted)"}
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

// on reports whether p bears the mark.
func (m mark) on(p process) bool {
	if m.namespace != nil {
		dev, ino, ok := p.namespace()
		return ok && dev == m.dev && ino == m.ino
	}
	return m.name != "" && p.inherited(func(name string) bool { return name == m.name })
}

func (m mark) close() {
	if m.namespace != nil {
		m.namespace.Close()
	}
	if m.token != nil {
		m.token.Close()
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
