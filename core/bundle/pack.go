package bundle

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize"
)

// Packed is a bundle that was packed, signed, read back and checked. It lives
// in the spool of its draft, which must stay open.
type Packed struct {
	Manifest   Manifest
	Redactions sanitize.Report
	// Rewritten are the files that the final gate had cleaned once more: they
	// are not what the draft showed before.
	Rewritten []string

	draft *Draft
	disk  string
}

// Pack writes the manifest, signs it, packs everything and checks the result
// as if somebody else had made it.
func (d *Draft) Pack(ctx context.Context) (*Packed, error) {
	if len(d.files) == 0 {
		return nil, errors.New("nothing was collected, so there is no bundle to make")
	}
	d.rewritten = nil
	for round := 0; ; round++ {
		p, err := d.packOnce(ctx)
		if err != nil {
			return nil, err
		}
		hits, err := d.readBack(ctx, p)
		if err != nil {
			return nil, err
		}
		if len(hits) == 0 {
			p.Rewritten = slices.Clone(d.rewritten)
			return p, nil
		}
		if round == sanitize.Rewrites {
			return nil, &LeakError{Hits: hits}
		}
		if err := os.Remove(p.disk); err != nil {
			return nil, fmt.Errorf("remove archive: %w", err)
		}
		if err := d.rewrite(ctx, hits); err != nil {
			return nil, err
		}
	}
}

// rewrite sanitizes the members with hits once more: by now everything that
// was hidden in configuration is known.
func (d *Draft) rewrite(ctx context.Context, hits []sanitize.Hit) error {
	hit := map[string]bool{}
	for _, h := range hits {
		hit[h.File] = true
	}
	for _, f := range d.files {
		if !hit[f.Path] {
			continue
		}
		delete(hit, f.Path)
		old, err := os.Open(f.disk)
		if err != nil {
			return fmt.Errorf("rewrite %s: %w", f.Path, err)
		}
		n, res, err := d.copy(ctx, d.o.Engine, &source{r: old, room: -1}, sanitize.File{Name: f.Path, Learn: f.Config, Again: true})
		old.Close()
		if err == nil && res.Omitted != "" {
			err = errors.New(res.Omitted)
		}
		if err != nil {
			return fmt.Errorf("rewrite %s: %w", f.Path, err)
		}
		f.replace(n)
		if !slices.Contains(d.rewritten, f.Path) {
			d.rewritten = append(d.rewritten, f.Path)
		}
	}
	if len(hit) > 0 { // in a member that is not a collected file
		return &LeakError{Hits: hits}
	}
	return nil
}

func (d *Draft) packOnce(ctx context.Context) (*Packed, error) {
	p := &Packed{draft: d}
	m := &p.Manifest
	*m = Manifest{
		Format: FormatV1, Created: d.created, System: d.o.System, Tool: d.o.Tool,
		Policy: d.o.Policy, Pseudonyms: d.o.Pseudonyms, Request: d.o.Record, Asked: d.o.Asked.clone(),
		Machines: cloneMachines(d.machines), Collectors: slices.Clone(d.collectors), Files: d.Files(), Missing: slices.Clone(d.missing),
	}
	m.Request.Include = slices.Clone(m.Request.Include)
	m.Name = BaseName(m.System, m.Created)
	slices.SortStableFunc(m.Missing, func(a, b Missing) int {
		return cmp.Or(strings.Compare(a.Collector, b.Collector), strings.Compare(a.Name, b.Name))
	})
	if err := d.cleanTexts(ctx, m.texts()); err != nil {
		return nil, err
	}
	p.Redactions = d.o.Engine.Report()
	p.Redactions.Files = slices.Clone(p.Redactions.Files)
	slices.SortStableFunc(p.Redactions.Files, func(a, b sanitize.FileReport) int { return strings.Compare(a.Name, b.Name) })
	redactions, err := encode(p.Redactions)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(redactions)
	m.Redactions = Digest{Size: int64(len(redactions)), SHA256: hex.EncodeToString(sum[:])}
	manifest, err := encode(m)
	if err != nil {
		return nil, err
	}
	signature, err := d.o.Signer.Sign(SignatureNamespace, manifest)
	if err != nil {
		return nil, fmt.Errorf("sign manifest: %w", err)
	}
	members := []member{
		bytesMember(ManifestName, manifest), bytesMember(SignatureName, signature), bytesMember(RedactionsName, redactions),
	}
	byPath := map[string]*spooled{}
	for _, f := range d.files {
		byPath[f.Path] = f
	}
	for _, f := range m.Files {
		members = append(members, fileMember(f.Path, f.Size, byPath[f.Path].disk))
	}
	for i := range members {
		members[i].name = m.Name + "/" + members[i].name
		members[i].time = m.Created
	}
	out, err := d.spool.create()
	if err != nil {
		return nil, err
	}
	p.disk = out.Name()
	d.o.progress(Progress{Stage: Packing, Files: len(m.Files), Planned: len(m.Files)})
	if err := writeArchive(ctx, out, d.o.Format, members); err != nil {
		out.Close()
		return nil, asSpaceError(d.spool.dir, fmt.Errorf("pack: %w", err), d.o.Limits.Reserve)
	}
	if err := out.Close(); err != nil {
		return nil, asSpaceError(d.spool.dir, fmt.Errorf("pack: %w", err), d.o.Limits.Reserve)
	}
	return p, nil
}

// readBack opens the archive like a foreign one, compares it with the manifest
// and puts every member through the final gate. The packer swallows errors, so
// only this says that the archive is whole.
func (d *Draft) readBack(ctx context.Context, p *Packed) ([]sanitize.Hit, error) {
	b, err := Open(p.disk, OpenOptions{Limits: ReadLimits{Files: len(p.Manifest.Files) + 3, Size: math.MaxInt64 / 2, Ratio: math.MaxInt32}})
	if err != nil {
		return nil, fmt.Errorf("read the packed bundle back: %w", err)
	}
	defer b.Close()
	if b.Manifest.Redactions != p.Manifest.Redactions || !bytes.Equal(b.manifest, mustEncode(p.Manifest)) {
		return nil, &CheckError{Bundle: "the packed bundle", Problems: []string{"its manifest is not the one that was written"}}
	}
	done := 0
	v, err := b.Verify(ctx, VerifyOptions{Engine: d.o.Engine, Progress: func(string, int64) {
		done++
		d.o.progress(Progress{Stage: Verifying, Files: done, Planned: len(p.Manifest.Files)})
	}})
	if err != nil {
		return nil, fmt.Errorf("read the packed bundle back: %w", err)
	}
	return v.Hits, nil
}

func mustEncode(m Manifest) []byte {
	b, err := encode(m)
	if err != nil {
		return nil
	}
	return b
}
