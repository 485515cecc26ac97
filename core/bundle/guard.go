package bundle

import (
	"context"
	"fmt"
	"io"

	"github.com/latchstring/latchstring/core/sanitize"
)

// guarded turns a panic of the sanitizer into an error. What it reads may have
// been written by an attacker: a file that it stumbles over costs this file,
// not the run, and nothing of it passes.
type guarded struct{ sanitize.Engine }

func (g guarded) Copy(ctx context.Context, dst io.Writer, src io.Reader, f sanitize.File) (res sanitize.Result, err error) {
	defer caught(&err)
	return g.Engine.Copy(ctx, dst, src, f)
}

func (g guarded) Check(ctx context.Context, src io.Reader, f sanitize.File) (hits []sanitize.Hit, err error) {
	defer caught(&err)
	return g.Engine.Check(ctx, src, f)
}

// Name returns "", which is no name, after a panic.
func (g guarded) Name(path string) (name string) {
	defer func() {
		if recover() != nil {
			name = ""
		}
	}()
	return g.Engine.Name(path)
}

// caught says nothing of the panic's value: it may hold what was read.
func caught(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("a bug in the sanitizer (panic of type %T)", r)
	}
}
