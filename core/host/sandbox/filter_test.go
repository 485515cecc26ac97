package sandbox

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	testPID = 4711
	testExe = 4
)

// verdict runs the filter as the kernel would, on x/net's virtual machine,
// which reads words in network order.
func verdict(t *testing.T, spec Spec, arch, call uint32, args ...uint32) uint32 {
	t.Helper()
	vm, err := bpf.NewVM(program(spec, testPID, testExe))
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[offCall:], call)
	binary.BigEndian.PutUint32(data[offArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[offArg(i):], a)
	}
	v, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(v)
}

func errnoOf(e unix.Errno) uint32 { return retErrno | uint32(e) }

func TestFilter(t *testing.T) {
	if auditArch == 0 {
		t.Skip("no filter for this architecture")
	}
	none, network := Spec{}, Spec{Network: true}
	const cloexec = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	goThread := uint32(unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_THREAD)
	tests := []struct {
		name string
		spec Spec
		call uint32
		args []uint32
		want uint32
	}{
		{"read", none, unix.SYS_READ, nil, retAllow},
		{"sendmsg", none, unix.SYS_SENDMSG, nil, retAllow},
		{"ptrace", network, unix.SYS_PTRACE, nil, errnoOf(unix.EPERM)},
		{"unshare", network, unix.SYS_UNSHARE, nil, errnoOf(unix.EPERM)},
		{"io_uring", network, unix.SYS_IO_URING_SETUP, nil, errnoOf(unix.ENOSYS)},

		{"thread", none, unix.SYS_CLONE, []uint32{goThread}, retAllow},
		{"fork", none, unix.SYS_CLONE, []uint32{uint32(unix.SIGCHLD)}, errnoOf(unix.EPERM)},
		{"vfork", none, unix.SYS_CLONE, []uint32{unix.CLONE_VFORK | unix.CLONE_VM | uint32(unix.SIGCHLD)}, errnoOf(unix.EPERM)},
		{"clone3", none, unix.SYS_CLONE3, nil, errnoOf(unix.ENOSYS)},
		{"execve", none, unix.SYS_EXECVE, nil, errnoOf(unix.EPERM)},
		{"execveat of the plugin", none, unix.SYS_EXECVEAT, []uint32{testExe}, retAllow},
		{"execveat of another", none, unix.SYS_EXECVEAT, []uint32{testExe + 1}, errnoOf(unix.EPERM)},

		{"signal itself", none, unix.SYS_TGKILL, []uint32{testPID}, retAllow},
		{"signal another", none, unix.SYS_TGKILL, []uint32{testPID - 1}, errnoOf(unix.EPERM)},
		{"kill all", none, unix.SYS_KILL, []uint32{^uint32(0)}, errnoOf(unix.EPERM)},
		{"own limits", none, unix.SYS_PRLIMIT64, []uint32{0}, retAllow},
		{"own limits by id", none, unix.SYS_PRLIMIT64, []uint32{testPID}, retAllow},
		{"limits of another", none, unix.SYS_PRLIMIT64, []uint32{1}, errnoOf(unix.EPERM)},
		{"outlive the host", none, unix.SYS_PRCTL, []uint32{unix.PR_SET_PDEATHSIG, 0}, errnoOf(unix.EPERM)},
		{"name a thread", none, unix.SYS_PRCTL, []uint32{unix.PR_SET_NAME}, retAllow},

		{"unix stream", none, unix.SYS_SOCKET, []uint32{unix.AF_UNIX, unix.SOCK_STREAM | cloexec, 0}, retAllow},
		{"unix seqpacket", none, unix.SYS_SOCKET, []uint32{unix.AF_UNIX, unix.SOCK_SEQPACKET | cloexec, 0}, retAllow},
		{"unix datagram", network, unix.SYS_SOCKET, []uint32{unix.AF_UNIX, unix.SOCK_DGRAM, 0}, errnoOf(unix.EPERM)},
		{"unix raw, a datagram too", network, unix.SYS_SOCKET, []uint32{unix.AF_UNIX, unix.SOCK_RAW, 0}, errnoOf(unix.EPERM)},
		{"unix pair", none, unix.SYS_SOCKETPAIR, []uint32{unix.AF_UNIX, unix.SOCK_STREAM, 0}, retAllow},
		{"unix pair of datagrams", none, unix.SYS_SOCKETPAIR, []uint32{unix.AF_UNIX, unix.SOCK_DGRAM, 0}, errnoOf(unix.EPERM)},

		{"tcp", network, unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM | cloexec, 0}, retAllow},
		{"tcp by number", network, unix.SYS_SOCKET, []uint32{unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_TCP}, retAllow},
		{"udp", network, unix.SYS_SOCKET, []uint32{unix.AF_INET6, unix.SOCK_DGRAM | cloexec, unix.IPPROTO_UDP}, retAllow},
		{"mptcp", network, unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM, 262}, errnoOf(unix.EPROTONOSUPPORT)},
		{"sctp", network, unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP}, errnoOf(unix.EPROTONOSUPPORT)},
		{"raw ip", network, unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP}, errnoOf(unix.EPERM)},
		{"tcp without network", none, unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM, 0}, errnoOf(unix.EAFNOSUPPORT)},
		{"tcp6 without network", Spec{Interfaces: true}, unix.SYS_SOCKET, []uint32{unix.AF_INET6, unix.SOCK_STREAM, 0}, errnoOf(unix.EAFNOSUPPORT)},
		{"packet", network, unix.SYS_SOCKET, []uint32{unix.AF_PACKET, unix.SOCK_RAW, 0}, errnoOf(unix.EAFNOSUPPORT)},
		{"vsock", network, unix.SYS_SOCKET, []uint32{unix.AF_VSOCK, unix.SOCK_STREAM, 0}, errnoOf(unix.EAFNOSUPPORT)},
		{"netlink", network, unix.SYS_SOCKET, []uint32{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE}, errnoOf(unix.EAFNOSUPPORT)},
		{"netlink route", Spec{Interfaces: true}, unix.SYS_SOCKET, []uint32{unix.AF_NETLINK, unix.SOCK_RAW | cloexec, unix.NETLINK_ROUTE}, retAllow},
		{"netlink audit", Spec{Interfaces: true}, unix.SYS_SOCKET, []uint32{unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT}, errnoOf(unix.EPROTONOSUPPORT)},
		{"both, tcp", Spec{Network: true, Interfaces: true}, unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM, 0}, retAllow},

		{"connect", network, unix.SYS_CONNECT, []uint32{3, 0, unix.SizeofSockaddrInet4}, retAllow},
		{"connect6", network, unix.SYS_CONNECT, []uint32{3, 0, unix.SizeofSockaddrInet6}, retAllow},
		{"connect to a long path", network, unix.SYS_CONNECT, []uint32{3, 0, 31}, errnoOf(unix.EPERM)},
		{"connect without network", none, unix.SYS_CONNECT, []uint32{3, 0, unix.SizeofSockaddrInet4}, errnoOf(unix.EPERM)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := verdict(t, tt.spec, auditArch, tt.call, tt.args...); got != tt.want {
				t.Errorf("verdict %#x, want %#x", got, tt.want)
			}
		})
	}
}

// A system call of another architecture has other numbers: it would pass a
// filter that only looks at numbers.
func TestFilterEndsForeignCalls(t *testing.T) {
	const i386 = 0x40000003
	if got := verdict(t, Spec{}, i386, unix.SYS_READ); got != retKill {
		t.Errorf("32-bit call: verdict %#x, want kill", got)
	}
	if x32Bit != 0 {
		if got := verdict(t, Spec{}, auditArch, x32Bit|unix.SYS_READ); got != retKill {
			t.Errorf("x32 call: verdict %#x, want kill", got)
		}
	}
}

func TestLevels(t *testing.T) {
	tests := []struct {
		able abilities
		want Level
	}{
		{abilities{}, Bare},
		{abilities{landlock: 7, ownUser: true}, Bare},
		{abilities{seccomp: true}, SeccompOnly},
		{abilities{seccomp: true, ownUser: true}, NoLandlock},
		{abilities{seccomp: true, landlock: 3, ownUser: true}, NoPortRules},
		{abilities{seccomp: true, landlock: 3}, NoPortRules},
		{abilities{seccomp: true, landlock: 4}, Unprivileged},
		{abilities{seccomp: true, landlock: 4, ownUser: true}, Full},
	}
	for _, tt := range tests {
		got := tt.able.level()
		if got != tt.want {
			t.Errorf("%+v: level %s, want %s", tt.able, got, tt.want)
		}
		if back, err := ParseLevel(got.String()); err != nil || back != got {
			t.Errorf("ParseLevel(%q) = %v, %v", got.String(), back, err)
		}
		if got.Meaning() == "unknown" {
			t.Errorf("%s has no meaning", got)
		}
	}
	if _, err := ParseLevel("fort-knox"); err == nil {
		t.Error("an unknown level was accepted")
	}
	if Level(99).String() != "level(99)" {
		t.Error("an impossible level has no name")
	}
}
