package bundler

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/bundle"
)

// Own is the collector of this product's own state: what is in force, what the
// log says, which plugins are there. It needs no plugin, as all of it is ours.
// No key and no secret is among it: it names files one by one.
const Own = "latchstring"

// ownRecords is how many of the last audit records go along.
const ownRecords = 2000

type own struct{ b *Bundler }

// Info implements bundle.Collector.
func (o own) Info() bundle.CollectorInfo {
	return bundle.CollectorInfo{Name: Own, Version: o.b.p.Version}
}

// part is one item of the own state.
type part struct {
	name, source string
	config       bool
	read         func(context.Context) (io.ReadCloser, error)
}

// parts lists what there is.
func (o own) parts() []part {
	root := o.b.p.Root
	file := func(path string) func(context.Context) (io.ReadCloser, error) {
		return func(context.Context) (io.ReadCloser, error) { return os.Open(path) }
	}
	out := []part{
		{"local.cfg", root.LocalConfig(), true, file(root.LocalConfig())},
		{"plugin_publishers", root.Etc("plugin_publishers"), false, file(root.Etc("plugin_publishers"))},
		{"policy_signers", root.Etc("policy_signers"), false, file(root.Etc("policy_signers"))},
		{"plugins.json", "the plugin catalog", false, o.plugins},
		{"queue.json", root.Queue(), false, o.queue},
		{"system.json", root.Identity(), false, o.system},
		{"audit.jsonl", root.Audit(), false, o.audit},
	}
	for _, dir := range []string{root.Policies(), root.Etc("collectors.d")} {
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			continue // the pattern is a good one
		}
		slices.Sort(names)
		for _, path := range names {
			switch filepath.Ext(path) {
			case ".hcl", ".sig", ".json":
				out = append(out, part{filepath.Base(dir) + "/" + filepath.Base(path), path, true, file(path)})
			}
		}
	}
	return out
}

// Plan implements bundle.Collector.
func (o own) Plan(context.Context, bundle.Request) ([]bundle.Planned, error) {
	var out []bundle.Planned
	for _, p := range o.parts() {
		size := int64(-1)
		if st, err := os.Stat(p.source); err == nil && st.Mode().IsRegular() {
			size = st.Size()
		} else if filepath.IsAbs(p.source) && err != nil {
			continue
		}
		out = append(out, bundle.Planned{Collector: Own, Name: p.name, Source: p.source, Size: size, Config: p.config})
	}
	return out, nil
}

// Collect implements bundle.Collector.
func (o own) Collect(ctx context.Context, _ bundle.Request, take func(*bundle.Item) error) error {
	for _, p := range o.parts() {
		it := &bundle.Item{Name: p.name, Source: p.source, Config: p.config}
		content, err := p.read(ctx)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			it.State, it.Reason = bundle.Absent, "no such file"
		case err != nil:
			it.State, it.Reason = bundle.Failed, err.Error()
		default:
			it.Content = content
		}
		if err := take(it); err != nil {
			return err
		}
	}
	return nil
}

func asJSON(v any) (io.ReadCloser, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(append(b, '\n'))), nil
}

func (o own) plugins(ctx context.Context) (io.ReadCloser, error) {
	list, err := o.b.p.Host.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	return asJSON(list)
}

func (o own) queue(context.Context) (io.ReadCloser, error) {
	q, err := o.b.Queue()
	if err != nil {
		return nil, err
	}
	list, err := q.List()
	if err != nil {
		return nil, err
	}
	return asJSON(list)
}

// system is who this system is to whom.
func (o own) system(context.Context) (io.ReadCloser, error) {
	s := map[string]any{"id": o.b.p.System.ID(), "version": o.b.p.Version, "policy": o.b.p.Policy.Hash()}
	if v, err := o.b.p.System.Vendor(); err == nil {
		s["vendor"], s["rss"], s["name"], s["enrolled_at"] = v.Name, v.RSS, v.System, v.EnrolledAt
	} else {
		s["vendor_problem"] = err.Error()
	}
	return asJSON(s)
}

// audit is the end of the audit log. A log that does not hold is told, and what
// can be read of it goes along: that is when it is wanted most.
func (o own) audit(ctx context.Context) (io.ReadCloser, error) {
	var last [][]byte
	for r, err := range audit.Read(o.b.p.Root.Audit()) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		line, merr := json.Marshal(r)
		if err != nil {
			line = fmt.Appendf(nil, "%q", "the log does not hold here: "+err.Error())
		} else if merr != nil {
			return nil, merr
		}
		if last = append(last, line); len(last) > 2*ownRecords {
			last = slices.Clone(last[len(last)-ownRecords:])
		}
		if err != nil {
			break
		}
	}
	var b strings.Builder
	w := bufio.NewWriter(&b)
	for _, line := range last[max(0, len(last)-ownRecords):] {
		w.Write(line)
		w.WriteByte('\n')
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return io.NopCloser(strings.NewReader(b.String())), nil
}
