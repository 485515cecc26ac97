package sandbox

import (
	"os"
	"slices"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The filter is assembled here rather than by a library: elastic/go-seccomp-bpf
// v1.5.0 answers a system call of a foreign architecture (`int $0x80` on amd64)
// with the default action, which in a filter that denies by list is "allow".
// Ours ends the process.

// Return values of a filter (linux/seccomp.h).
const (
	retAllow = 0x7fff0000
	retErrno = 0x00050000
	retKill  = 0x80000000 // the whole process
)

// Offsets in struct seccomp_data.
const (
	offCall = 0
	offArch = 4
)

// offArg is the low half of argument n; both architectures are little-endian.
func offArg(n int) uint32 { return uint32(16 + 8*n) }

func deny(errno unix.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: retErrno | uint32(errno)}
}

var allow = bpf.RetConstant{Val: retAllow}

// rule answers one system call. Its body must end every path with a return.
type rule struct {
	call uint32
	body []bpf.Instruction
}

// filterCalls installs the filter for the calling thread.
func filterCalls(spec Spec, exe int) error {
	raw, err := bpf.Assemble(program(spec, os.Getpid(), exe))
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	const setModeFilter = 1 // SECCOMP_SET_MODE_FILTER
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, 0, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return errno
	}
	return nil
}

// program is the filter for a process with the given id that is about to
// execute descriptor exe.
func program(spec Spec, pid, exe int) []bpf.Instruction {
	out := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		bpf.RetConstant{Val: retKill},
		bpf.LoadAbsolute{Off: offCall, Size: 4},
	}
	if x32Bit != 0 { // the x32 numbers reach the same calls by another name
		out = append(out,
			bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: x32Bit, SkipFalse: 1},
			bpf.RetConstant{Val: retKill})
	}
	for _, r := range rules(spec, uint32(pid), uint32(exe)) {
		out = append(out, bpf.JumpIf{Cond: bpf.JumpEqual, Val: r.call, SkipFalse: uint8(len(r.body))})
		out = append(out, r.body...)
	}
	return append(out, allow)
}

func rules(spec Spec, pid, exe uint32) []rule {
	var rs []rule
	for _, call := range slices.Concat(forbidden, forbiddenHere) {
		rs = append(rs, rule{uint32(call), []bpf.Instruction{deny(unix.EPERM)}})
	}
	// io_uring does sockets and files past this filter. ENOSYS lets programs
	// fall back.
	for _, call := range []uint32{unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER} {
		rs = append(rs, rule{call, []bpf.Instruction{deny(unix.ENOSYS)}})
	}
	rs = append(rs,
		rule{unix.SYS_CLONE3, []bpf.Instruction{deny(unix.ENOSYS)}}, // its flags are in memory; clone is tried next
		rule{unix.SYS_CLONE, onlyThreads()},
		rule{unix.SYS_EXECVE, []bpf.Instruction{deny(unix.EPERM)}},
		rule{unix.SYS_EXECVEAT, onlyArg(0, exe, unix.EPERM)},
		rule{unix.SYS_KILL, onlyArg(0, pid, unix.EPERM)},
		rule{unix.SYS_TGKILL, onlyArg(0, pid, unix.EPERM)},
		rule{unix.SYS_PRLIMIT64, onlySelf(pid)},
		rule{unix.SYS_PRCTL, notArg(0, unix.PR_SET_PDEATHSIG, unix.EPERM)}, // it dies with the host
		rule{unix.SYS_SOCKET, sockets(spec)},
		rule{unix.SYS_SOCKETPAIR, pairs()},
		rule{unix.SYS_CONNECT, connects(spec)},
	)
	return rs
}

// onlyThreads allows clone for a thread of this process and nothing else.
func onlyThreads() []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArg(0), Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.CLONE_THREAD, SkipFalse: 1},
		allow,
		deny(unix.EPERM),
	}
}

func onlyArg(n int, want uint32, errno unix.Errno) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArg(n), Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: want, SkipFalse: 1},
		allow,
		deny(errno),
	}
}

func notArg(n int, bad uint32, errno unix.Errno) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArg(n), Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: bad, SkipFalse: 1},
		deny(errno),
		allow,
	}
}

func onlySelf(pid uint32) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArg(0), Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: pid, SkipFalse: 1},
		allow,
		deny(unix.EPERM),
	}
}

// typeMask cuts SOCK_CLOEXEC and SOCK_NONBLOCK off a socket type.
const typeMask = 0xf

// pairs allows connected socket pairs. Not of datagrams: they carry an address
// with each message, past connect. (SOCK_RAW is another name for them.)
func pairs() []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArg(1), Size: 4},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: typeMask},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_STREAM, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_SEQPACKET, SkipTrue: 1},
		deny(unix.EPERM),
		allow,
	}
}

// sockets allows the families of spec: Unix always (go-plugin's own socket),
// Internet for TCP and UDP, routing questions to the kernel.
func sockets(spec Spec) []bpf.Instruction {
	out := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArg(0), Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_UNIX, SkipFalse: uint8(len(pairs()))},
	}
	out = append(out, pairs()...)
	if spec.Interfaces {
		out = append(out,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_NETLINK, SkipFalse: 4},
			bpf.LoadAbsolute{Off: offArg(2), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.NETLINK_ROUTE, SkipFalse: 1},
			allow,
			deny(unix.EPROTONOSUPPORT),
		)
	}
	if spec.Network {
		inet := []bpf.Instruction{
			bpf.LoadAbsolute{Off: offArg(1), Size: 4},
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: typeMask},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_STREAM, SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_DGRAM, SkipTrue: 1},
			deny(unix.EPERM),
			// Protocol 262 is Multipath TCP, which Landlock's port rules miss.
			bpf.LoadAbsolute{Off: offArg(2), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 3},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_TCP, SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.IPPROTO_UDP, SkipTrue: 1},
			deny(unix.EPROTONOSUPPORT),
			allow,
		}
		out = append(out,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET, SkipTrue: 1},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET6, SkipFalse: uint8(len(inet))},
		)
		out = append(out, inet...)
	}
	return append(out, deny(unix.EAFNOSUPPORT))
}

// connects denies connect to a plugin without network. With it, only the two
// lengths of an Internet address pass. A Unix address may have these lengths
// too, but then holds a path of at most 26 bytes: our control socket and the
// system bus are longer, and the working directory cannot be changed.
func connects(spec Spec) []bpf.Instruction {
	if !spec.Network {
		return []bpf.Instruction{deny(unix.EPERM)}
	}
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArg(2), Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SizeofSockaddrInet4, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SizeofSockaddrInet6, SkipTrue: 1},
		deny(unix.EPERM),
		allow,
	}
}
