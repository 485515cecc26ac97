package bundle

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/sanitize"
)

// VerifyOptions say what is checked beyond the hashes.
type VerifyOptions struct {
	// Signer, when not nil, is the key that must have signed.
	Signer ssh.PublicKey
	// Engine, when not nil, puts every member through the final gate.
	Engine sanitize.Engine
	// Progress, when not nil, is called after each file.
	Progress func(path string, size int64)
}

// Verification is the result of [Bundle.Verify] when the bundle holds.
type Verification struct {
	Files int
	Bytes int64
	Hits  []sanitize.Hit // found by the final gate
}

// Verify reads the whole bundle and compares it with its manifest: every file
// that is listed is there with its size and hash, and nothing else is. What
// does not hold comes back as one [*CheckError]. Hits of the final gate are no
// error here; the caller decides.
func (b *Bundle) Verify(ctx context.Context, o VerifyOptions) (*Verification, error) {
	var problems []string
	if o.Signer != nil && !bytes.Equal(o.Signer.Marshal(), b.Signer.Marshal()) {
		problems = append(problems, fmt.Sprintf("it was signed by %s, not by %s", ssh.FingerprintSHA256(b.Signer), ssh.FingerprintSHA256(o.Signer)))
	}
	v := &Verification{}
	bad, err := b.each(ctx, func(f File, r io.Reader) error {
		if o.Engine != nil {
			hits, err := o.Engine.Check(ctx, r, sanitize.File{Name: f.Path})
			if err != nil {
				return fmt.Errorf("check %s: %w", f.Path, err)
			}
			for i := range hits {
				hits[i].File = f.Path
			}
			v.Hits = append(v.Hits, hits...)
		}
		return nil
	}, func(f File) {
		v.Files++
		v.Bytes += f.Size
		if o.Progress != nil {
			o.Progress(f.Path, f.Size)
		}
	})
	if err != nil {
		return nil, err
	}
	if problems = append(problems, bad...); len(problems) > 0 {
		return nil, &CheckError{b.name, problems}
	}
	return v, nil
}

// Walk calls fn for every file of the manifest, in the archive's order. When
// it returns without an error, all that fn read was what the manifest says.
func (b *Bundle) Walk(ctx context.Context, fn func(File, io.Reader) error) error {
	bad, err := b.each(ctx, fn, nil)
	if err != nil {
		return err
	}
	if len(bad) > 0 {
		return &CheckError{b.name, bad}
	}
	return nil
}

// each reads all members, hands those of the manifest to fn, reads what fn
// left, and lists all that is not as the manifest says.
func (b *Bundle) each(ctx context.Context, fn func(File, io.Reader) error, good func(File)) (bad []string, err error) {
	want := make(map[string]File, len(b.Manifest.Files))
	for _, f := range b.Manifest.Files {
		want[f.Path] = f
	}
	err = b.walk(ctx, func(m Member, r io.Reader) error {
		if isReserved(m.Path) {
			return nil // checked when the bundle was opened
		}
		f, ok := want[m.Path]
		if !ok {
			bad = append(bad, fmt.Sprintf("%s is not in the manifest", m.Path))
			return nil
		}
		delete(want, m.Path)
		h := sha256.New()
		n := &counter{w: h}
		tee := io.TeeReader(io.LimitReader(r, f.Size+1), n)
		if err := fn(f, tee); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, tee); err != nil {
			return err
		}
		switch {
		case n.n != f.Size:
			bad = append(bad, fmt.Sprintf("%s is not %d bytes long", f.Path, f.Size))
		case hex.EncodeToString(h.Sum(nil)) != f.SHA256:
			bad = append(bad, fmt.Sprintf("%s was changed", f.Path))
		case good != nil:
			good(f)
		}
		return nil
	})
	if err != nil {
		return nil, b.foreign(err)
	}
	for _, f := range b.Manifest.Files {
		if _, ok := want[f.Path]; ok {
			bad = append(bad, fmt.Sprintf("%s is missing", f.Path))
		}
	}
	return bad, nil
}
