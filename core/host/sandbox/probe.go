package sandbox

import (
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Probe says which level a plugin started now would reach when it is to run as
// uid (0 for the user of the host). It starts nothing.
func Probe(uid int) Level {
	return abilities{
		seccomp:  haveSeccomp(),
		landlock: landlockABI(),
		ownUser:  os.Geteuid() == 0 && uid > 0,
	}.level()
}

// landlockABI is the version of Landlock in this kernel, 0 when it is missing
// or switched off at boot.
var landlockABI = sync.OnceValue(func() int {
	const versionFlag = 1 // LANDLOCK_CREATE_RULESET_VERSION
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, versionFlag)
	if errno != 0 {
		return 0
	}
	return int(v)
})

// haveSeccomp asks the kernel whether filters may answer with an error number.
var haveSeccomp = sync.OnceValue(func() bool {
	if auditArch == 0 {
		return false
	}
	action := uint32(retErrno)
	const actionAvail = 2 // SECCOMP_GET_ACTION_AVAIL
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, actionAvail, 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0
})
