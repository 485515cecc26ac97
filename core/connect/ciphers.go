package connect

import (
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/cpu"
)

// ciphers puts AES-GCM first where the processor computes it.
func ciphers() []string {
	gcm := []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM}
	chacha := []string{ssh.CipherChaCha20Poly1305}
	if cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ || cpu.ARM64.HasAES && cpu.ARM64.HasPMULL || cpu.S390X.HasAESGCM {
		return append(gcm, chacha...)
	}
	return append(chacha, gcm...)
}
