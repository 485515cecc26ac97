package login

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/core/host"
)

// Methods lists the ways to log in that are set up.
func (s *Service) Methods() ([]string, error) {
	list, err := os.ReadDir(s.opts.Config)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the ways to log in: %w", err)
	}
	var out []string
	for _, e := range list {
		name, found := strings.CutSuffix(e.Name(), ".json")
		if e.Name() == keysFile {
			name, found = Challenge, true
		}
		if found && methodName.MatchString(name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// ErrNoSteps says that a method cannot show whether it works.
var ErrNoSteps = errors.New("this way to log in shows no steps")

// Check shows step by step whether somebody could log in by a method: its
// source of identities is there and is the right one. Nobody is asked. A
// method that cannot show this fails with [ErrNoSteps].
func (s *Service) Check(ctx context.Context, method string, report func(host.Step)) error {
	if !methodName.MatchString(method) {
		return &UsageError{fmt.Sprintf("%q is no method to log in", method)}
	}
	settings, _, err := s.settings(method)
	if err != nil {
		return err
	}
	plugin, err := s.opts.Open(method, settings)
	if err != nil {
		return err
	}
	defer plugin.Close()
	p, ok := plugin.(interface {
		Probe(context.Context, func(host.Step)) error
	})
	if !ok {
		return ErrNoSteps
	}
	err = p.Probe(ctx, report)
	var f *host.Failure
	if errors.As(err, &f) && f.Unsupported() {
		return ErrNoSteps
	}
	return err
}
