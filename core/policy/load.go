package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An Option changes how policy is loaded.
type Option func(*options)

type options struct {
	now func() time.Time
	rss []string
	sw  *Switch

	readOnly bool

	said []statement // rules that stand in no policy file
}

// WithClock brings another clock than the machine's, for tests.
func WithClock(now func() time.Time) Option { return func(o *options) { o.now = now } }

// ReadOnly leaves everything as it is: what was loaded is not remembered, and
// a missing seal is not put back. For commands that only show.
func ReadOnly() Option { return func(o *options) { o.readOnly = true } }

// WithRSS adds a rule of the machine's own: only these relays, as if a policy
// file said so in network.rss.
func WithRSS(addresses ...string) Option {
	return func(o *options) { o.rss = append(o.rss, addresses...) }
}

// Load reads all policy files of a directory: *.hcl, and *.json for the same
// in JSON. No directory, or an empty one, means the built-in default.
//
// A [*LoadError] comes with a policy that can still be asked and that denies
// what the mistakes may have been about: remote access always. Load does not
// know signatures, versions or the seal; products call [Open].
func Load(dir string, opts ...Option) (*Policy, error) {
	files, mistakes := readDir(dir)
	return parse(files, mistakes, opts)
}

// Parse is [Load] for files that are in memory, by name.
func Parse(files map[string][]byte, opts ...Option) (*Policy, error) {
	return parse(files, nil, opts)
}

func parse(files map[string][]byte, mistakes []Mistake, opts []Option) (*Policy, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return assemble(decodeAll(files), mistakes, o)
}

func decodeAll(files map[string][]byte) []*decoder {
	names := slices.Sorted(maps.Keys(files))
	out := make([]*decoder, len(names))
	var next atomic.Int64
	var work sync.WaitGroup
	for range min(len(names), runtime.GOMAXPROCS(0)) { // files have nothing to do with each other
		work.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				name := names[i]
				d := decodeFile(name, files[name])
				sum := sha256.Sum256(files[name])
				d.info.SHA256 = hex.EncodeToString(sum[:])
				out[i] = d
			}
		})
	}
	work.Wait()
	return out
}

func assemble(decoded []*decoder, mistakes []Mistake, o options) (*Policy, error) {
	var infos []*File
	var said []statement
	hash := sha256.New()
	byName := map[string]string{}
	for _, d := range decoded {
		infos = append(infos, d.info)
		said = append(said, d.said...)
		mistakes = append(mistakes, d.mistakes...)
		if other, again := byName[d.info.Name]; again {
			mistakes = append(mistakes, Mistake{Source: Source{File: d.file, Line: 1, Column: 1}, bundles: true,
				What: fmt.Sprintf("the policy is called %q, and so is %s", d.info.Name, other), Hint: "give each a name of its own: policy { name = ... }"})
		}
		byName[d.info.Name] = d.file
		fmt.Fprintf(hash, "%s %s\n", d.info.SHA256, d.info.Name)
	}
	for _, s := range o.said {
		said = append(said, s)
		fmt.Fprintf(hash, "%s = %s\n", s.rule.Key, s.rule.Value)
	}
	if len(o.rss) > 0 {
		k := keyByPath["network.rss"]
		var its []string
		for _, a := range o.rss {
			if hp, ok := hostPort(a, "443"); ok {
				its = append(its, hp)
			}
		}
		v := items(false, its...)
		said = append(said, statement{k, *v, Rule{Key: k.Path(), Value: k.format(v), Source: Source{File: "enrolment"}}})
		fmt.Fprintf(hash, "rss %q\n", its)
	}
	p := build(infos, said, o)
	p.hash = hex.EncodeToString(hash.Sum(nil))
	if len(mistakes) > 0 {
		e := &LoadError{mistakes}
		e.sort()
		p.fault = e.fault()
		return p, e
	}
	return p, nil
}

// readDir reads the policy files of a directory. Files of other endings are
// left alone, but for those that look as if they were meant.
func readDir(dir string) (map[string][]byte, []Mistake) {
	files := map[string][]byte{}
	trouble := func(path string, err error) []Mistake {
		return []Mistake{{Source: Source{File: path, Line: 1, Column: 1}, What: err.Error(), bundles: true}}
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return files, nil
	}
	if err != nil {
		return files, trouble(dir, fmt.Errorf("the directory cannot be read: %w", err))
	}
	var mistakes []Mistake
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(dir, name)
		if strings.HasPrefix(name, ".") || !isPolicyFile(name) {
			continue
		}
		if len(files) == maxFiles {
			return files, trouble(dir, fmt.Errorf("there are more than %d policy files", maxFiles))
		}
		src, err := readFile(path)
		if err != nil {
			mistakes = append(mistakes, trouble(path, err)...)
			continue
		}
		files[path] = src
	}
	return files, mistakes
}

func isPolicyFile(name string) bool {
	return strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".json")
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("this is no regular file")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("others than its owner may write to the file (mode %04o); chmod go-w it", info.Mode().Perm())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("the file cannot be read: %w", err)
	}
	return src, nil
}

func hashText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
