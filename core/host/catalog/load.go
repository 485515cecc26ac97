package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/latchstring/latchstring/core/host/trust"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/internal/wire"
)

// PublishersFile is the name, below the configuration directory, of the file
// with the trusted publishers.
const PublishersFile = "plugin_publishers"

// Load looks at every plugin that is installed. builtin is the program of the
// built-in plugins; empty looks for it where it is installed. A plugin that
// cannot be used is in the list with its state and reason; the error is for a
// catalog that cannot be read at all.
func Load(root paths.Root, builtin string) ([]Plugin, error) {
	publishers, err := Publishers(root)
	if err != nil {
		return nil, err
	}
	var plugins []Plugin
	if p, ok := findBuiltin(builtin); ok {
		plugins = append(plugins, p)
	}
	names, err := list(root.Plugins())
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		plugins = append(plugins, loadForeign(root.Plugins(), name, publishers, time.Now()))
	}
	return plugins, nil
}

// list names what is in the catalog directory, which need not exist.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the plugin catalog: %w", err)
	}
	if err := owned(dir); err != nil {
		return nil, fmt.Errorf("the plugin catalog is not safe: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.Name()[0] != '.' {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Publishers reads the publishers that a machine trusts; nil when it has no
// such file.
func Publishers(root paths.Root) (*trust.Publishers, error) {
	path := root.Etc(PublishersFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the trusted publishers: %w", err)
	}
	if err := owned(path); err != nil {
		return nil, fmt.Errorf("the file of trusted publishers is not safe: %w", err)
	}
	p, err := trust.ParsePublishers(path, data)
	if err != nil {
		return nil, fmt.Errorf("read the trusted publishers: %w", err)
	}
	return p, nil
}

// Inspect looks at a plugin's directory, wherever it is, as a catalog does.
func Inspect(dir string, publishers *trust.Publishers) Plugin {
	dir, err := filepath.Abs(dir)
	if err != nil {
		p := Plugin{Path: dir}
		p.set(Modified, err.Error())
		return p
	}
	m := filepath.Base(dir)
	if data, err := os.ReadFile(filepath.Join(dir, ManifestFile)); err == nil {
		if parsed, err := ParseManifest(data); err == nil {
			m = parsed.Name // only in a catalog must the directory have the name
		}
	}
	return loadPlugin(dir, m, publishers, time.Now())
}

// Digests returns the SHA-256 of every file that would belong to the plugin in
// dir, in lower-case hexadecimal, by name with slashes.
func Digests(dir string) (map[string]string, error) {
	t, err := readTree(dir)
	if err != nil {
		return nil, err
	}
	defer t.close()
	out := make(map[string]string, len(t.files))
	for _, name := range t.files {
		if out[filepath.ToSlash(name)], err = t.sum(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// loadForeign looks at one directory of the catalog.
func loadForeign(catalog, name string, publishers *trust.Publishers, now time.Time) Plugin {
	return loadPlugin(filepath.Join(catalog, name), name, publishers, now)
}

func loadPlugin(dir, name string, publishers *trust.Publishers, now time.Time) Plugin {
	p := Plugin{Name: name, Path: dir, dir: dir}
	tree, err := readTree(p.dir)
	if err != nil {
		p.set(Modified, err.Error())
		return p
	}
	defer tree.close()
	manifest, err := tree.small(ManifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		p.set(Modified, "it has no "+ManifestFile+": nothing says what belongs to it")
		return p
	} else if err != nil {
		p.set(Modified, err.Error())
		return p
	}
	m, err := ParseManifest(manifest)
	switch {
	case errors.Is(err, errIncompatible):
		p.set(Incompatible, err.Error())
		return p
	case err != nil:
		p.set(Modified, err.Error())
		return p
	}
	p.Version, p.Publisher, p.Roles = m.Version, m.Publisher, m.Roles
	if m.Name != name || !wire.ValidName(name) {
		p.set(Modified, fmt.Sprintf("its directory is %s, but the manifest is of %s", name, m.Name))
		return p
	}
	if err := tree.check(m.Files); err != nil {
		p.set(Modified, err.Error())
		p.explainChange(tree, manifest, publishers, now)
		return p
	}
	if p.program, err = m.program(); err != nil {
		p.set(Incompatible, err.Error())
		return p
	}
	p.Path, p.SHA256 = filepath.Join(p.dir, p.program), m.Files[p.program]

	signature, err := tree.small(SignatureFile)
	if errors.Is(err, fs.ErrNotExist) {
		p.set(Unsigned, "nobody signed it")
		return p
	} else if err != nil {
		p.set(Modified, err.Error())
		return p
	}
	p.Fingerprint, err = publishers.Verify(manifest, signature, m.Publisher, now)
	switch {
	case err == nil:
		p.set(Trusted, "")
	case errors.As(err, new(*trust.UnknownError)):
		p.set(UnknownPublisher, err.Error())
	default:
		p.set(Modified, err.Error())
	}
	return p
}

// ResolveConflicts makes a plugin incompatible that claims a role which another
// one has: the built-in plugins first, then by name. It is called when the
// roles of the built-in plugins are known.
func ResolveConflicts(plugins []Plugin) {
	order := make([]int, len(plugins))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		first := func(p Plugin) int {
			if p.State == Builtin {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(first(plugins[a]), first(plugins[b])), cmp.Compare(plugins[a].Name, plugins[b].Name))
	})
	owner := make(map[string]string)
	for _, i := range order {
		p := &plugins[i]
		if !p.State.Whole() {
			continue
		}
		taken := ""
		for _, r := range p.Roles {
			if owner[r.ID()] != "" {
				taken = r.ID()
			}
		}
		if taken != "" {
			p.set(Incompatible, fmt.Sprintf("%s is already provided by the plugin %s", taken, owner[taken]))
			p.Fix = "remove one of the two"
			continue
		}
		for _, r := range p.Roles {
			owner[r.ID()] = p.Name
		}
	}
}
