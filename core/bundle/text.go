package bundle

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/latchstring/latchstring/core/sanitize"
)

// textName is what the report calls the manifest's own free text: sources,
// reasons and names, which hold paths, command lines and errors. It has no
// ending, so that no lexer takes it for JSON.
const textName = "manifest"

// cleanTexts sanitizes the free text of a manifest in place and puts it
// through the final gate.
func (d *Draft) cleanTexts(ctx context.Context, texts []*string) error {
	lines := make([]string, len(texts))
	for i, t := range texts {
		lines[i] = oneLine(*t)
	}
	// A second round for what only shows after the first, like the gate for files.
	var hits []sanitize.Hit
	for range 2 {
		var err error
		if lines, err = d.cleanLines(ctx, lines); err != nil {
			return err
		}
		hits, err = d.o.Engine.Check(ctx, strings.NewReader(strings.Join(lines, "\n")), sanitize.File{Name: textName})
		if err != nil {
			return fmt.Errorf("check manifest: %w", err)
		}
		if len(hits) == 0 {
			for i, t := range texts {
				*t = lines[i]
			}
			return nil
		}
	}
	for i := range hits {
		hits[i].File = ManifestName
	}
	return &LeakError{Hits: hits}
}

// cleanLines sanitizes all lines in one pass, because a pass has its price,
// or one by one when the sanitizer made another number of lines of them.
func (d *Draft) cleanLines(ctx context.Context, lines []string) ([]string, error) {
	var buf bytes.Buffer
	_, err := d.o.Engine.Copy(ctx, &buf, strings.NewReader(strings.Join(lines, "\n")), sanitize.File{Name: textName})
	if err != nil {
		return nil, fmt.Errorf("sanitize manifest: %w", err)
	}
	if out := strings.Split(buf.String(), "\n"); len(out) == len(lines) {
		return out, nil
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		buf.Reset()
		if _, err := d.o.Engine.Copy(ctx, &buf, strings.NewReader(l), sanitize.File{Name: textName}); err != nil {
			return nil, fmt.Errorf("sanitize manifest: %w", err)
		}
		out[i] = oneLine(buf.String())
	}
	return out, nil
}

// oneLine makes a line that JSON and terminals can show.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// texts are the free texts of a manifest.
func (m *Manifest) texts() []*string {
	var t []*string
	add := func(s *string) {
		if *s != "" {
			t = append(t, s)
		}
	}
	for i := range m.Request.Include {
		add(&m.Request.Include[i])
	}
	if a := m.Asked; a != nil {
		add(&a.Case)
		add(&a.Reason)
		for i := range a.Items {
			add(&a.Items[i].Value)
			add(&a.Items[i].Reason)
		}
	}
	for i := range m.Machines {
		add(&m.Machines[i].Error)
		for j := range m.Machines[i].Collectors {
			add(&m.Machines[i].Collectors[j].Error)
		}
	}
	for i := range m.Collectors {
		add(&m.Collectors[i].Error)
	}
	for i := range m.Files {
		add(&m.Files[i].Source)
		add(&m.Files[i].Reason)
	}
	for i := range m.Missing {
		add(&m.Missing[i].Name)
		add(&m.Missing[i].Source)
		add(&m.Missing[i].Reason)
	}
	return t
}
