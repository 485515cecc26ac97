package bundle

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/latchstring/latchstring/core/sanitize"
)

// fakeEngine hides what follows "password=", remembers it from files that
// teach, and calls the host example "h-1". It is as simple as an engine can be
// that has all the behaviours the pipeline must cope with.
type fakeEngine struct {
	mu      sync.Mutex
	learned []string
	report  map[string]int

	blind  map[string]int // by file: copies that let everything pass
	broken string         // a file on which Copy fails
	panics string         // a file on which Copy panics
}

var secretRE = regexp.MustCompile(`password=([^\s&]+)`)

func newEngine() *fakeEngine { return &fakeEngine{report: map[string]int{}, blind: map[string]int{}} }

func (e *fakeEngine) Copy(ctx context.Context, dst io.Writer, src io.Reader, f sanitize.File) (sanitize.Result, error) {
	data, err := io.ReadAll(src)
	if err != nil {
		return sanitize.Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return sanitize.Result{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if f.Name == e.panics {
		panic(string(data))
	}
	if f.Name == e.broken {
		dst.Write(data)
		return sanitize.Result{}, errors.New("the rules are broken")
	}
	if bytes.Contains(data, []byte{0}) {
		return sanitize.Result{In: int64(len(data)), Omitted: "binary"}, nil
	}
	if e.blind[f.Name] > 0 {
		e.blind[f.Name]--
		_, err = dst.Write(data)
		return sanitize.Result{}, err
	}
	for _, m := range secretRE.FindAllSubmatch(data, -1) {
		e.report[f.Name]++
		if f.Learn {
			e.learned = append(e.learned, string(m[1]))
		}
	}
	data = secretRE.ReplaceAll(data, []byte("password=REDACTED_password_1"))
	for _, l := range e.learned {
		data = bytes.ReplaceAll(data, []byte(l), []byte("REDACTED_password_1"))
	}
	n, err := dst.Write(data)
	return sanitize.Result{Out: int64(n)}, err
}

func (e *fakeEngine) Name(p string) string {
	return path.Clean(strings.ReplaceAll(p, "example", "h-1"))
}

func (e *fakeEngine) Check(_ context.Context, src io.Reader, f sanitize.File) ([]sanitize.Hit, error) {
	data, err := io.ReadAll(src)
	if err != nil {
		return nil, err
	}
	for _, m := range secretRE.FindAllSubmatch(data, -1) {
		if !bytes.HasPrefix(m[1], []byte("REDACTED_")) {
			return []sanitize.Hit{{File: f.Name, Rule: "password"}}, nil
		}
	}
	return nil, nil
}

func (e *fakeEngine) Report() sanitize.Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := sanitize.Report{Version: 1, Rules: map[string]int{}}
	for name, n := range e.report {
		r.Rules["password"] += n
		r.Files = append(r.Files, sanitize.FileReport{Name: name, Rules: map[string]int{"password": n}})
	}
	return r
}
