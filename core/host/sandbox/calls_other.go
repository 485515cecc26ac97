//go:build !amd64 && !arm64

package sandbox

// No filter is written for this architecture: the level is Bare.
const (
	auditArch = 0
	x32Bit    = 0
)

var forbiddenHere []int
