package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"filippo.io/age"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/sanitize"
)

// OpenOptions say how a bundle is opened.
type OpenOptions struct {
	Identities []age.Identity // to decrypt with
	Limits     ReadLimits     // zero fields mean those of [DefaultReadLimits]
}

// Bundle is an opened bundle whose signature holds. That says that its
// manifest is what the holder of [Bundle.Signer] wrote; whether that is the
// right system is for the caller to know. The files are checked by
// [Bundle.Verify] and [Bundle.Unpack].
type Bundle struct {
	Manifest   Manifest
	Redactions sanitize.Report
	Signer     ssh.PublicKey // key of the system that signed
	Format     Format
	Encrypted  bool

	manifest []byte
	name     string // for errors
	src      io.ReaderAt
	size     int64
	limits   ReadLimits
	close    func() error
}

// EncryptedError says that a bundle cannot be opened without another key.
type EncryptedError struct {
	Bundle string
	Err    error
}

func (e *EncryptedError) Error() string {
	if e.Err == nil {
		return e.Bundle + " is encrypted to the vendor"
	}
	return fmt.Sprintf("%s cannot be decrypted: %v", e.Bundle, e.Err)
}

func (e *EncryptedError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *EncryptedError) Hint() string {
	return "name the file with the private key it was encrypted to: --identity FILE"
}

// Open opens the bundle in a file. The caller must close it.
func Open(path string, o OpenOptions) (*Bundle, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	b, err := OpenReaderAt(st.Name(), f, st.Size(), o)
	if err != nil {
		f.Close()
		return nil, err
	}
	b.close = f.Close
	return b, nil
}

// OpenReaderAt is [Open] for bytes that lie elsewhere; name is used in errors.
func OpenReaderAt(name string, src io.ReaderAt, size int64, o OpenOptions) (*Bundle, error) {
	b := &Bundle{name: name, src: src, size: size, limits: o.Limits.orDefault(), close: func() error { return nil }}
	var err error
	b.Format, b.Encrypted, err = detect(src)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	if b.Encrypted {
		if len(o.Identities) == 0 {
			return nil, &EncryptedError{Bundle: name}
		}
		if b.src, b.size, err = age.DecryptReaderAt(src, size, o.Identities...); err != nil {
			return nil, &EncryptedError{Bundle: name, Err: err}
		}
		var again bool
		if b.Format, again, err = detect(b.src); err != nil || again {
			return nil, fmt.Errorf("open %s: what is inside the encryption is no bundle", name)
		}
	}
	if err := b.readHead(); err != nil {
		return nil, err
	}
	return b, nil
}

// Close closes the file.
func (b *Bundle) Close() error { return b.close() }

// Recorded is the bundle's manifest as it was signed, byte for byte.
func (b *Bundle) Recorded() []byte { return bytes.Clone(b.manifest) }

// head is the members every bundle begins with, and the most that is read of each.
var head = []struct {
	name string
	max  int64
}{{ManifestName, 64 << 20}, {SignatureName, 64 << 10}, {RedactionsName, 64 << 20}}

// readHead reads the first three members and checks them against each other.
func (b *Bundle) readHead() error {
	var got [][]byte
	folder := ""
	err := b.walk(context.Background(), func(m Member, r io.Reader) error {
		want := head[len(got)]
		if m.Path != want.name {
			return fmt.Errorf("member %d is %.100q, not %s", len(got)+1, m.Path, want.name)
		}
		folder = m.folder
		data, err := io.ReadAll(io.LimitReader(r, want.max+1))
		if err != nil {
			return err
		}
		if int64(len(data)) > want.max {
			return &LimitError{b.name, want.name + " is too large"}
		}
		if got = append(got, data); len(got) == len(head) {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return b.foreign(err)
	}
	if len(got) < len(head) {
		return fmt.Errorf("open %s: this is no bundle: it has no %s", b.name, head[len(got)].name)
	}
	m, err := ParseManifest(got[0])
	if err != nil {
		return fmt.Errorf("open %s: %w", b.name, err)
	}
	if m.Name != folder {
		return &CheckError{b.name, []string{fmt.Sprintf("its folder is %q, its manifest says %q", folder, m.Name)}}
	}
	sig, err := sshsig.Unarmor(got[1])
	if err == nil && sig.Namespace != SignatureNamespace {
		err = fmt.Errorf("made for %q", sig.Namespace)
	}
	if err == nil {
		err = sshsig.Verify(bytes.NewReader(got[0]), sig, sig.PublicKey, sig.HashAlgorithm, SignatureNamespace)
	}
	if err != nil {
		return &CheckError{b.name, []string{fmt.Sprintf("the signature of %s: %v", ManifestName, err)}}
	}
	sum := sha256.Sum256(got[2])
	if (m.Redactions != Digest{int64(len(got[2])), hex.EncodeToString(sum[:])}) {
		return &CheckError{b.name, []string{RedactionsName + " is not the one that was signed"}}
	}
	if err := json.Unmarshal(got[2], &b.Redactions); err != nil {
		return fmt.Errorf("open %s: read %s: %w", b.name, RedactionsName, err)
	}
	b.Manifest, b.manifest, b.Signer = *m, got[0], sig.PublicKey
	return nil
}

// foreign gives an error of reading a foreign archive its place and its kind.
func (b *Bundle) foreign(err error) error {
	var coder interface{ ExitCode() int }
	var local *fs.PathError // of writing what was unpacked
	if errors.As(err, &coder) || errors.As(err, &local) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &CheckError{b.name, []string{err.Error()}}
}
