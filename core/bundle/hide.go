package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/latchstring/latchstring/core/sanitize"
)

// Hidden says what [Draft.Hide] did.
type Hidden struct {
	Files   []string // whose content or name was changed, by their new names
	Omitted []string // nothing of them passed any more, so they were taken out
}

// Hide passes every file and every name through one more sanitizer, and has
// all that follows go through next: what the user wants hidden at the last
// minute. Text is passed with [sanitize.File.Again] set.
func (d *Draft) Hide(ctx context.Context, more, next sanitize.Engine) (Hidden, error) {
	var h Hidden
	more = guarded{more}
	d.o.Engine = guarded{next}
	d.o.System.Host = more.Name(d.o.System.Host)
	keep := d.files[:0:0]
	taken := tree{}
	for _, f := range d.files {
		changed, omitted, err := d.hide(ctx, f, more)
		if err != nil {
			return h, fmt.Errorf("hide words in %s: %w", f.Path, err)
		}
		if omitted != "" {
			h.Omitted = append(h.Omitted, f.Path)
			d.missing = append(d.missing, Missing{Collector: f.Collector, Machine: f.Machine, Name: f.item, Source: f.Source, State: Omitted, Reason: omitted})
			f.remove()
			continue
		}
		name := more.Name(f.Path)
		if checkPath(name) != nil {
			return h, fmt.Errorf("hide words in %s: its name cannot be made without them", f.Path)
		}
		if name, err = taken.addUnused(name); err != nil {
			return h, err
		}
		if changed = changed || name != f.Path; changed {
			h.Files = append(h.Files, name)
		}
		f.Path = name
		keep = append(keep, f)
	}
	d.files, d.taken = keep, taken
	for i := range d.machines {
		d.machines[i].Host = more.Name(d.machines[i].Host)
	}
	return h, nil
}

func (d *Draft) hide(ctx context.Context, f *spooled, more sanitize.Engine) (changed bool, omitted string, err error) {
	old, err := os.Open(f.disk)
	if err != nil {
		return false, "", err
	}
	defer old.Close()
	n, res, err := d.copy(ctx, more, &source{r: old, room: -1}, sanitize.File{Name: f.Path, Again: true})
	switch {
	case err != nil && (errors.Is(err, errSpool) || isSpace(err) || ctx.Err() != nil):
		return false, "", err
	case err != nil:
		return false, "its words could not be hidden: " + err.Error(), nil
	case res.Omitted != "":
		n.remove()
		return false, res.Omitted, nil
	case n.SHA256 == f.SHA256:
		n.remove()
		return false, "", nil
	}
	f.replace(n)
	return true, "", nil
}
