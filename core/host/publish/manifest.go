package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/host/sandbox"
	"github.com/latchstring/latchstring/core/host/trust"
	"github.com/latchstring/latchstring/internal/wire"
)

// Options say what the program cannot say itself.
type Options struct {
	Publisher string            // who signs; empty keeps that of an older manifest
	Name      string            // of the plugin; empty takes what the program says
	Version   string            // empty takes what the program says
	Programs  map[string]string // executables by GOOS/GOARCH; empty finds the one there is, for this machine
}

// describeTime is how long a program may take to say what is in it.
const describeTime = 20 * time.Second

// nobody is the user that a program is asked as when root asks.
const nobody = 65534

// Make writes the manifest of the plugin in dir. The program for this machine
// is run once, confined and with nothing granted, to say what its roles are and
// need. An older signature is removed: it would not hold.
func Make(ctx context.Context, dir string, o Options) (catalog.Manifest, error) {
	files, err := catalog.Digests(dir)
	if err != nil {
		return catalog.Manifest{}, fmt.Errorf("look at the plugin in %s: %w", dir, err)
	}
	if len(o.Programs) == 0 {
		program, err := findProgram(dir, files)
		if err != nil {
			return catalog.Manifest{}, err
		}
		o.Programs = map[string]string{platform: program}
	}
	for _, where := range slices.Sorted(maps.Keys(o.Programs)) {
		if _, ok := files[o.Programs[where]]; !ok {
			return catalog.Manifest{}, fmt.Errorf("the program %s for %s is not in %s", o.Programs[where], where, dir)
		}
	}
	program, ok := o.Programs[platform]
	if !ok {
		return catalog.Manifest{}, fmt.Errorf("there is no program for this machine (%s), so nothing can say what the plugin does; write the manifest on a machine that can run it", platform)
	}
	d, err := describe(ctx, filepath.Join(dir, filepath.FromSlash(program)), files[program])
	if err != nil {
		return catalog.Manifest{}, err
	}
	m := catalog.Manifest{
		Format: catalog.Format, Name: o.Name, Version: o.Version, Publisher: o.Publisher,
		Protocols: d.Protocols, Programs: o.Programs, Files: files,
	}
	if m.Name == "" {
		m.Name = d.Name
	}
	if m.Version == "" {
		m.Version = d.Version
	}
	if m.Publisher == "" {
		m.Publisher = formerPublisher(dir)
	}
	for _, r := range d.Roles {
		m.Roles = append(m.Roles, catalog.Role{Role: r.Role, Name: r.Name, Help: launch.Clean(r.Help), Needs: r.Needs})
	}
	return m, write(dir, m)
}

const platform = runtime.GOOS + "/" + runtime.GOARCH

func write(dir string, m catalog.Manifest) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	// What hosts would refuse to read is not written.
	if _, err := catalog.ParseManifest(b.Bytes()); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, catalog.SignatureFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the old signature: %w", err)
	}
	return durable.WriteFileMode(filepath.Join(dir, catalog.ManifestFile), b.Bytes(), 0o644)
}

// findProgram is the only file that can be executed.
func findProgram(dir string, files map[string]string) (string, error) {
	var found []string
	for name := range files {
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return "", err
		}
		if info.Mode().Perm()&0o111 != 0 {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("%s holds no program: no file in it is executable", dir)
	}
	return "", fmt.Errorf("%s holds several programs (%s); say which is for which machine: --program %s=%s", dir, strings.Join(found, ", "), platform, found[0])
}

func formerPublisher(dir string) string {
	data, err := os.ReadFile(filepath.Join(dir, catalog.ManifestFile))
	if err != nil {
		return ""
	}
	m, err := catalog.ParseManifest(data)
	if err != nil {
		return ""
	}
	return m.Publisher
}

// describe asks a program what is in it.
func describe(ctx context.Context, path, sum string) (wire.Description, error) {
	f, err := os.Open(path)
	if err != nil {
		return wire.Description{}, fmt.Errorf("open the program: %w", err)
	}
	defer f.Close()
	image, err := launch.Load(f, sum, os.TempDir())
	if err != nil {
		return wire.Description{}, fmt.Errorf("load the program %s: %w", path, err)
	}
	defer image.Close()
	spec := sandbox.Spec{}
	if os.Geteuid() == 0 {
		spec.UID, spec.GID = nobody, nobody
	}
	var last string
	out, err := launch.Output(ctx, launch.Command{Image: image, Argv: []string{filepath.Base(path), "describe"}, Sandbox: spec},
		describeTime, wire.MessageLimit, func(line string) { last = line; slog.Debug("plugin", "line", line) })
	if err != nil {
		if last != "" {
			err = fmt.Errorf("%w; it said: %s", err, last)
		}
		return wire.Description{}, fmt.Errorf("ask %s what is in it (is it a plugin? plugincheck tells): %w", path, err)
	}
	d, err := wire.ParseDescription(out)
	if err != nil {
		return wire.Description{}, fmt.Errorf("ask %s what is in it: %w", path, err)
	}
	return d, nil
}

// Sign writes the signature of the manifest in dir beside it, and returns its
// name. It refuses a manifest that does not fit the files.
func Sign(dir string, key ssh.Signer) (string, error) {
	p := catalog.Inspect(dir, nil)
	if p.State == catalog.Modified || p.State == catalog.Incompatible {
		return "", fmt.Errorf("sign the plugin in %s: %s", dir, p.Reason)
	}
	path := filepath.Join(dir, catalog.ManifestFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("sign the plugin in %s: %w", dir, err)
	}
	sig, err := sshsig.Sign(bytes.NewReader(data), key, sshsig.HashSHA512, trust.Namespace)
	if err != nil {
		return "", fmt.Errorf("sign the plugin in %s: %w", dir, err)
	}
	name := filepath.Join(dir, catalog.SignatureFile)
	return name, durable.WriteFileMode(name, sshsig.Armor(sig), 0o644)
}
