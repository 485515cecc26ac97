package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// BuiltinProgram is the name of the program with the built-in plugins, and of
// the plugin that it is in lists.
const BuiltinProgram = "latchstring-plugins"

// libDir is where packages install it.
const libDir = "/usr/lib/latchstring"

// builtinSHA256 is the checksum of the built-in plugins. The Makefile links it
// in; empty in a development build.
var builtinSHA256 string

// Development reports whether this program was built without the checksum of
// the built-in plugins.
func Development() bool { return builtinSHA256 == "" }

// findBuiltin looks at the built-in plugins. It reports false when they are not
// installed.
func findBuiltin(path string) (Plugin, bool) {
	for _, candidate := range builtinPaths(path) {
		if _, err := os.Lstat(candidate); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return loadBuiltin(candidate, builtinSHA256), true
	}
	return Plugin{}, false
}

func builtinPaths(path string) []string {
	if path != "" {
		return []string{path}
	}
	var out []string
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		out = append(out, filepath.Join(filepath.Dir(self), BuiltinProgram))
	}
	return append(out, filepath.Join(libDir, BuiltinProgram))
}

// loadBuiltin hashes the program. With a checksum to compare, it does not
// matter who may write to it; without one it does.
func loadBuiltin(path, want string) Plugin {
	p := Plugin{
		Name: BuiltinProgram, Path: path, Development: want == "",
		dir: filepath.Dir(path), program: filepath.Base(path),
	}
	sum, err := sumFile(path, want == "")
	switch {
	case err != nil:
		p.set(Modified, err.Error())
	case want != "" && sum != want:
		p.SHA256 = sum
		p.set(Modified, "it is not the program that this version was built with")
	default:
		p.SHA256 = sum
		p.set(Builtin, "")
	}
	if p.State == Modified {
		p.Fix = "install Latchstring again; the programs of one version belong together"
	}
	return p
}

func sumFile(path string, checkOwner bool) (string, error) {
	if checkOwner {
		for _, place := range []string{path, filepath.Dir(path)} {
			if err := owned(place); err != nil {
				return "", err
			}
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return sumOpen(f)
}

// Open opens the program of the plugin. What it holds is what SHA256 says only
// after it was copied and hashed: package launch does that.
func (p Plugin) Open() (*os.File, error) {
	root, err := os.OpenRoot(p.dir)
	if err != nil {
		return nil, fmt.Errorf("open plugin %s: %w", p.Name, err)
	}
	defer root.Close()
	f, err := (&tree{root: root}).open(p.program)
	if err != nil {
		return nil, fmt.Errorf("open plugin %s: %w", p.Name, err)
	}
	return f, nil
}
