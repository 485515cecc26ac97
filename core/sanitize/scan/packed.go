package scan

import "strings"

// packedPrefixes are how base64 of gzip, xz, zstd, bzip2 and zip begins. What
// is in there cannot be read here, so none of it may pass.
var packedPrefixes = [...]string{"H4sI", "/Td6WFo", "_Td6WFo", "KLUv/", "KLUv_", "QlpoO", "UEsDBB", "UEsFBg"}

// packed tells whether v is base64 of compressed data.
func packed(v []byte) bool {
	if len(v) < 32 {
		return false
	}
	switch v[0] {
	case 'H', '/', '_', 'K', 'Q', 'U':
	default:
		return false
	}
	head := string(v[:8])
	for _, p := range packedPrefixes {
		if strings.HasPrefix(head, p) {
			return true
		}
	}
	return false
}

// narrow turns UTF-16 of Latin text, which PowerShell's encoded commands are,
// into bytes, in place. Other bytes come back as they are.
func narrow(b []byte) []byte {
	if !wideText(b) {
		return b
	}
	n := 0
	for i := 0; i+1 < len(b); i += 2 {
		if b[i+1] != 0 {
			b[n] = '?'
		} else {
			b[n] = b[i]
		}
		n++
	}
	return b[:n]
}

// wideText tells whether b begins with UTF-16 of printable ASCII.
func wideText(b []byte) bool {
	if len(b) < 16 {
		return false
	}
	for i := 0; i < 16; i += 2 {
		if b[i+1] != 0 || (b[i] < 0x20 || b[i] > 0x7e) && b[i] != '\n' && b[i] != '\r' && b[i] != '\t' {
			return false
		}
	}
	return true
}
