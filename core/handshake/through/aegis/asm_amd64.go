//go:build !purego

package aegis

import "golang.org/x/sys/cpu"

var available = cpu.X86.HasAVX && cpu.X86.HasAES

// update takes the two halves of m into the state, some times.
//
//go:noescape
func update(s *state, m *[block]byte, times int)

// seal encrypts that many blocks.
//
//go:noescape
func seal(s *state, dst, src *byte, blocks int)

// open decrypts that many blocks.
//
//go:noescape
func open(s *state, dst, src *byte, blocks int)
