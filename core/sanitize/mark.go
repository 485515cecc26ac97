package sanitize

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
)

// mark appends the token that stands for a secret: REDACTED_kind_n. It is made
// of letters, digits and underscores only, which every format takes as a plain
// word. n is a keyed hash, so equal secrets show as equal wherever they occur,
// but nothing of them, not even their length, can be told from it.
func (s *Sanitizer) mark(dst []byte, kind string, secret []byte) []byte {
	dst = append(dst, "REDACTED_"...)
	if short, ok := shortKinds[kind]; ok {
		kind = short
	}
	dst = append(dst, kind...)
	dst = append(dst, '_')
	return strconv.AppendUint(dst, s.ordinal(secret), 10)
}

// shortKinds keep long words out of tokens: who hides pg_password must not
// write REDACTED_password, which is most of it.
var shortKinds = map[string]string{"password": "pw", "secret": "sec", "credential": "cred", "community": "snmp", "private_key": "pkey"}

func (s *Sanitizer) ordinal(secret []byte) uint64 {
	// Long secrets are told apart by their beginning and end.
	var buf [32 + 512]byte
	n := copy(buf[:], s.secret[:])
	if len(secret) <= 512 {
		n += copy(buf[n:], secret)
	} else {
		n += copy(buf[n:], secret[:256])
		n += copy(buf[n:], secret[len(secret)-256:])
	}
	sum := sha256.Sum256(buf[:n])
	return 100000 + binary.LittleEndian.Uint64(sum[:])%900000
}
