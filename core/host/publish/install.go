package publish

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/internal/wire"
)

// Install copies the plugin in dir into the catalog of a machine, in the place
// of an older version. The copy is looked at before it takes its place, so that
// a plugin that is not whole, or half copied, never gets there. Whether it may
// run is another question, which the result answers.
func Install(root paths.Root, dir string) (catalog.Plugin, error) {
	m, err := readManifest(dir)
	if err != nil {
		return catalog.Plugin{}, err
	}
	if err := os.MkdirAll(root.Plugins(), 0o755); err != nil {
		return catalog.Plugin{}, fmt.Errorf("install plugin %s: %w", m.Name, err)
	}
	// Names that begin with a dot are not part of the catalog.
	stage, err := os.MkdirTemp(root.Plugins(), ".install-")
	if err != nil {
		return catalog.Plugin{}, fmt.Errorf("install plugin %s: %w", m.Name, err)
	}
	defer os.RemoveAll(stage)
	fresh := filepath.Join(stage, m.Name)
	if err := copyPlugin(dir, fresh, m); err != nil {
		return catalog.Plugin{}, fmt.Errorf("install plugin %s: %w", m.Name, err)
	}
	publishers, err := catalog.Publishers(root)
	if err != nil {
		return catalog.Plugin{}, err
	}
	p := catalog.Inspect(fresh, publishers)
	if !p.State.Whole() {
		return p, fmt.Errorf("install plugin %s: it is %s: %s", m.Name, p.State, p.Reason)
	}
	final := filepath.Join(root.Plugins(), m.Name)
	old := filepath.Join(stage, "old")
	if err := os.Rename(final, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, fmt.Errorf("install plugin %s: %w", m.Name, err)
	}
	if err := os.Rename(fresh, final); err != nil {
		return p, errors.Join(fmt.Errorf("install plugin %s: %w", m.Name, err), os.Rename(old, final))
	}
	return catalog.Inspect(final, publishers), durable.SyncDir(root.Plugins())
}

// Remove takes a plugin out of the catalog.
func Remove(root paths.Root, name string) error {
	if !wire.ValidName(name) {
		return fmt.Errorf("remove plugin: %q is no name of a plugin", name)
	}
	dir := filepath.Join(root.Plugins(), name)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no plugin %q is installed; see: remote-support plugin list", name)
	}
	// First out of the catalog in one step, so that nothing runs half of it.
	gone, err := os.MkdirTemp(root.Plugins(), ".remove-")
	if err != nil {
		return fmt.Errorf("remove plugin %s: %w", name, err)
	}
	if err := os.Rename(dir, filepath.Join(gone, name)); err != nil {
		return errors.Join(fmt.Errorf("remove plugin %s: %w", name, err), os.Remove(gone))
	}
	return errors.Join(os.RemoveAll(gone), durable.SyncDir(root.Plugins()))
}

func readManifest(dir string) (catalog.Manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, catalog.ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return catalog.Manifest{}, fmt.Errorf("%s holds no %s; its author makes one: remote-support plugin sign %s", dir, catalog.ManifestFile, dir)
	}
	if err != nil {
		return catalog.Manifest{}, fmt.Errorf("read the manifest: %w", err)
	}
	return catalog.ParseManifest(data)
}

// copyPlugin copies what the manifest lists, with modes of its own.
func copyPlugin(from, to string, m catalog.Manifest) error {
	src, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	dst, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer dst.Close()
	names := []string{catalog.ManifestFile, catalog.SignatureFile}
	for name := range m.Files {
		names = append(names, name)
	}
	for _, name := range names {
		mode := fs.FileMode(0o644)
		for _, program := range m.Programs {
			if program == name {
				mode = 0o755
			}
		}
		err := copyFile(src, dst, filepath.FromSlash(name), mode)
		if errors.Is(err, fs.ErrNotExist) && name == catalog.SignatureFile {
			continue // an unsigned plugin may be allowed here
		}
		if err != nil {
			return err
		}
	}
	return dst.Chmod(".", 0o755)
}

func copyFile(src, dst *os.Root, name string, mode fs.FileMode) (err error) {
	// The directory is somebody's: what lies there may be a pipe that nobody
	// writes to.
	in, err := src.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	if st, err := in.Stat(); err != nil || !st.Mode().IsRegular() {
		return errors.Join(fmt.Errorf("%s is no regular file", name), err)
	}
	if err := dst.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	out, err := dst.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	if err := out.Chmod(mode); err != nil { // whatever the umask
		return err
	}
	return out.Sync()
}
