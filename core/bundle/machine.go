package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/sanitize"
)

// MachinesFolder holds the files of further machines, each in its folder.
const MachinesFolder = "machines"

// MachineRecord is a further machine whose files are in the bundle, or that
// could not be had.
type MachineRecord struct {
	Name       string            `json:"name"`             // its folder below [MachinesFolder]
	System     string            `json:"system,omitempty"` // id of its system key
	Host       string            `json:"host,omitempty"`   // as in [System]
	Tool       *Tool             `json:"tool,omitempty"`
	Policy     string            `json:"policy,omitempty"`
	Files      int               `json:"files"`
	Bytes      int64             `json:"bytes"`
	Collectors []CollectorRecord `json:"collectors,omitempty"`
	Error      string            `json:"error,omitempty"` // why it is not there, or not whole
}

func cloneMachines(all []MachineRecord) []MachineRecord {
	out := slices.Clone(all)
	for i := range out {
		out[i].Collectors = slices.Clone(out[i].Collectors)
	}
	return out
}

// Fail records a machine that could not be had.
func (d *Draft) Fail(name, reason string) {
	d.machines = append(d.machines, MachineRecord{Name: name, Error: reason})
	d.missing = append(d.missing, Missing{Collector: MachinesFolder, Machine: name, State: Failed, Reason: reason})
}

// Adopt takes over the files of a bundle that another machine has made with
// the same pseudonym key. They pass the sanitizer once more: what is secret
// here is secret there too.
func (d *Draft) Adopt(ctx context.Context, name string, b *Bundle) error {
	if err := checkElement(name); err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	m := b.Manifest
	rec := MachineRecord{Name: name, System: identity.IDOf(b.Signer), Host: m.System.Host, Tool: &m.Tool, Policy: m.Policy, Collectors: m.Collectors}
	before := len(d.files)
	err := b.Walk(ctx, func(f File, r io.Reader) error {
		if d.o.Limits.Total > 0 && d.bytes >= d.o.Limits.Total {
			d.missing = append(d.missing, Missing{Collector: f.Collector, Machine: name, Name: f.Path, State: Limited, Reason: errFull.Error()})
			return nil
		}
		p, err := d.taken.addUnused(path.Join(MachinesFolder, name, f.Path))
		if err != nil {
			return err
		}
		if err := checkPath(p); err != nil {
			return err
		}
		if n, err := free(d.spool.dir); err == nil && n < d.o.Limits.Reserve {
			return &SpaceError{Dir: d.spool.dir, Free: n, Need: d.o.Limits.Reserve}
		}
		d.o.progress(Progress{Stage: Collecting, Collector: name, Item: f.Path, Files: len(d.files), Bytes: d.bytes})
		s, res, err := d.copy(ctx, d.o.Engine, &source{r: io.NopCloser(r), room: -1}, sanitize.File{Name: p, Again: true})
		if err != nil {
			return err
		}
		if res.Omitted != "" {
			s.remove()
			d.missing = append(d.missing, Missing{Collector: f.Collector, Machine: name, Name: f.Path, Source: f.Source, State: Omitted, Reason: res.Omitted})
			return nil
		}
		size, sum := s.Size, s.SHA256
		s.File, s.item = f, f.Path
		s.Path, s.Machine, s.Size, s.SHA256 = p, name, size, sum
		d.files = append(d.files, s)
		d.bytes += s.Size
		rec.Files++
		rec.Bytes += s.Size
		return nil
	})
	if err != nil {
		// Half of it is not believed: its hashes may not hold.
		for _, f := range d.files[before:] {
			d.bytes -= f.Size
			os.Remove(f.disk)
		}
		d.files = d.files[:before]
		var space *SpaceError
		if errors.As(err, &space) || errors.Is(err, errSpool) || ctx.Err() != nil {
			return err
		}
		d.Fail(name, err.Error())
		return nil
	}
	for _, x := range m.Missing {
		x.Machine = name
		d.missing = append(d.missing, x)
	}
	d.machines = append(d.machines, rec)
	return nil
}
