package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = 0xc00000b7 // AUDIT_ARCH_AARCH64
	x32Bit    = 0
)

// forbiddenHere are the calls that only some architectures have.
var forbiddenHere = []int{unix.SYS_KEXEC_FILE_LOAD}
