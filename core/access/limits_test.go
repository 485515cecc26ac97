package access

import (
	"crypto/sha256"
	"testing"

	"github.com/latchstring/latchstring/core/access/words"
	"github.com/latchstring/latchstring/core/record"
)

// A client that sends a file backwards, byte by byte, gets no more memory than
// one that sends it in blocks.
func TestPiecesAheadAreBounded(t *testing.T) {
	f := &flow{direction: record.Upload, hash: sha256.New(), waiting: map[int64][]byte{}, done: func() {}}
	for off := int64(4 * aheadPieces); off > 0; off-- {
		f.pass([]byte{1}, off, true)
		if len(f.waiting) > aheadPieces {
			t.Fatalf("%d pieces are held", len(f.waiting))
		}
	}
	if !f.pieces || f.waiting != nil {
		t.Error("the file is not known to have come in pieces")
	}
}

// To take files away needs the right to change them, under either name of the
// option.
func TestRsyncRemovesUnderBothNames(t *testing.T) {
	for line, want := range map[string]bool{
		"rsync --server --sender -logDtpre.iLsfxCIvu --remove-source-files . /x": true,
		"rsync --server --sender -logDtpre.iLsfxCIvu --remove-sent-files . /x":   true,
		"rsync --server --sender -logDtpre.iLsfxCIvu . /x":                       false,
		"rsync --server -logDtpre.iLsfxCIvu --remove-source-files . /x":          false,
	} {
		args, ok := words.Split(line)
		c, parsed := parseRsync(args)
		if !ok || !parsed || c.check() != nil || c.removes() != want {
			t.Errorf("%s: %v %v %v", line, ok, parsed, c.removes())
		}
	}
}
