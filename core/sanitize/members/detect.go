package members

import (
	"bytes"
	"path"
	"strings"
)

// A Kind is a container format.
type Kind uint8

// The formats.
const (
	None    Kind = iota // no container
	Gzip                // RFC 1952
	XZ                  // .xz file format 1.2
	Zstd                // RFC 8878
	Bzip2               // bzip2 1.0
	Tar                 // POSIX.1-2001, GNU, V7
	Zip                 // APPNOTE 6.3
	Foreign             // a container that is recognised but not opened
)

var kindNames = [...]string{"", "gzip", "xz", "zstd", "bzip2", "tar", "zip", "foreign archive"}

// String returns the name of the format.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// DetectSize is how much of a file [Detect] wants to see.
const DetectSize = 512

// magics are the numbers at the start of a file.
var magics = []struct {
	magic string
	kind  Kind
}{
	{"\x1f\x8b\x08", Gzip},
	{"\xfd7zXZ\x00", XZ},
	{"\x28\xb5\x2f\xfd", Zstd},
	{"PK\x03\x04", Zip},
	{"PK\x05\x06", Zip}, // without members
	{"7z\xbc\xaf\x27\x1c", Foreign},
	{"Rar!\x1a\x07", Foreign},
	{"\x04\x22\x4d\x18", Foreign}, // lz4
	{"\x02\x21\x4c\x18", Foreign}, // lz4, legacy
	{"LZIP\x00", Foreign},
	{"LZIP\x01", Foreign},
	{"\x89LZO\x00\r\n\x1a\n", Foreign},
	{"\x1f\x9d", Foreign},         // compress
	{"\x1f\xa0", Foreign},         // compress, LZH
	{"\x1f\x1e", Foreign},         // pack
	{"!<arch>\n", Foreign},        // ar, deb
	{"\xed\xab\xee\xdb", Foreign}, // rpm
	{"MSCF\x00\x00\x00\x00", Foreign},
	{"hsqs", Foreign}, // squashfs
	{"\xff\x06\x00\x00sNaPpY", Foreign},
}

// Detect recognises a container by the first bytes of a file, as many as there
// are up to [DetectSize]. The name is only asked where bytes do not tell.
func Detect(name string, head []byte) Kind {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.kind
		}
	}
	switch {
	case len(head) >= 10 && bytes.HasPrefix(head, []byte("BZh")) && head[3] >= '1' && head[3] <= '9' &&
		(bytes.Equal(head[4:10], []byte("\x31\x41\x59\x26\x53\x59")) || bytes.Equal(head[4:10], []byte("\x17\x72\x45\x38\x50\x90"))):
		return Bzip2
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte("\x2a\x4d\x18")):
		return Zstd // a skippable frame first
	case tarHeader(head):
		return Tar
	case cpioHeader(head):
		return Foreign
	case strings.EqualFold(path.Ext(name), ".lzma") && len(head) >= 13 && head[0] == 0x5d:
		return Foreign
	}
	return None
}

// cpioHeader recognises the ASCII formats of cpio: a magic number and then
// fields of digits, 110 or 76 bytes in all. A log may begin with the number.
func cpioHeader(b []byte) bool {
	n := 110
	switch {
	case bytes.HasPrefix(b, []byte("070707")):
		n = 76
	case !bytes.HasPrefix(b, []byte("070701")) && !bytes.HasPrefix(b, []byte("070702")):
		return false
	}
	if len(b) < n {
		return false
	}
	for _, c := range b[:n] {
		if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
			return false
		}
	}
	return true
}

// tarHeader checks the sum over a header block, which all dialects have.
func tarHeader(b []byte) bool {
	if len(b) < 512 || b[0] == 0 {
		return false
	}
	var want int64
	digits := 0
	for _, c := range bytes.Trim(b[148:156], " \x00") {
		if c < '0' || c > '7' {
			return false
		}
		want = want<<3 | int64(c-'0')
		digits++
	}
	var unsigned, signed int64
	for i, c := range b[:512] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		unsigned += int64(c)
		signed += int64(int8(c))
	}
	return digits > 0 && (want == unsigned || want == signed)
}

// innerName is what a file is called once its compression is gone.
func innerName(name string, kind Kind) string {
	ext := path.Ext(name)
	base := strings.TrimSuffix(name, ext)
	switch strings.ToLower(ext) {
	case ".tgz", ".txz", ".tzst", ".tbz", ".tbz2":
		return base + ".tar"
	case ".gz", ".xz", ".zst", ".bz2", ".z":
		return base
	}
	return name
}
