package sanitize

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/latchstring/latchstring/core/sanitize/members"
)

// Learn reads a file for the secrets in it, as [Sanitizer.Copy] with
// File.Learn does, and writes nothing. Who learns all files of a set before he
// copies the first has each secret removed from each of them, in whatever
// order they come, and from an archive whose last member gives away what stands
// in its first. Nothing is counted in the report. With [Options.Forget] there is
// nothing to do.
func (s *Sanitizer) Learn(ctx context.Context, src io.Reader, f File) error {
	if s.opt.Forget {
		return nil
	}
	f.Learn = true
	c := &call{s: s, f: f, quiet: true}
	_, err := c.any(ctx, io.Discard, src, f.Name)
	var omit *members.OmitError
	if err != nil && !errors.As(err, &omit) {
		return fmt.Errorf("read %s for secrets: %w", f.Name, err)
	}
	return nil
}
