package catalog

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/internal/wire"
)

// Format is the version of the manifest format.
const Format = "latchstring-plugin/1"

// Names of the files beside a plugin.
const (
	ManifestFile  = "plugin.json"
	SignatureFile = "plugin.json.sig"
)

// Manifest is plugin.json: what the publisher signs.
type Manifest struct {
	Format    string `json:"format"` // "latchstring-plugin/1"
	Name      string `json:"name"`   // of the plugin, and of its directory
	Version   string `json:"version"`
	Publisher string `json:"publisher"`
	Protocols []int  `json:"protocols"` // protocol versions of the plugin

	// Programs are the names of the executables, by GOOS/GOARCH.
	Programs map[string]string `json:"programs"`

	// Files are all files of the plugin by name, slashes between directories,
	// with their SHA-256 in hexadecimal: neither the manifest nor its signature.
	Files map[string]string `json:"files"`

	// Roles are what the plugin does. What it needs at run time is granted only
	// where it stands here too.
	Roles []Role `json:"roles"`
}

// errIncompatible is wrapped for a manifest that is sound but not for us.
var errIncompatible = errors.New("not made for this version or machine")

// ParseManifest reads a manifest and holds it to its rules. A field that is not
// known makes it unreadable: it could be one that restricts something.
func ParseManifest(data []byte) (Manifest, error) {
	var m Manifest
	var version struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return m, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if version.Format != Format {
		return m, fmt.Errorf("%s: format %q, want %q: %w", ManifestFile, version.Format, Format, errIncompatible)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if dec.More() {
		return m, fmt.Errorf("%s: something follows the manifest", ManifestFile)
	}
	return m, m.check()
}

func (m Manifest) check() error {
	if !wire.ValidName(m.Name) {
		return fmt.Errorf("%s: name %q: want lower-case letters, digits, dashes and underscores", ManifestFile, m.Name)
	}
	if m.Publisher == "" || m.Publisher != strings.TrimSpace(m.Publisher) || strings.ContainsAny(m.Publisher, "\r\n\t,*?!\"") {
		return fmt.Errorf("%s: publisher %q is no name", ManifestFile, m.Publisher)
	}
	for name, sum := range m.Files {
		if !fs.ValidPath(name) || name == "." || name == ManifestFile || name == SignatureFile {
			return fmt.Errorf("%s: file %q cannot be listed", ManifestFile, name)
		}
		if raw, err := hex.DecodeString(sum); err != nil || len(raw) != 32 || sum != strings.ToLower(sum) {
			return fmt.Errorf("%s: file %s: %q is no SHA-256 in lower-case hexadecimal", ManifestFile, name, sum)
		}
	}
	for platform, program := range m.Programs {
		if _, ok := m.Files[program]; !ok {
			return fmt.Errorf("%s: program %q for %s is not among the files", ManifestFile, program, platform)
		}
	}
	seen := make(map[string]bool)
	for _, r := range m.Roles {
		if !wire.KnownRole(r.Role) || !wire.ValidName(r.Name) || seen[r.ID()] {
			return fmt.Errorf("%s: role %q is unknown or there twice", ManifestFile, r.ID())
		}
		seen[r.ID()] = true
	}
	if len(m.Roles) == 0 {
		return fmt.Errorf("%s: it lists no roles", ManifestFile)
	}
	return nil
}

// program is the executable for this machine.
func (m Manifest) program() (string, error) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	program, ok := m.Programs[platform]
	if !ok {
		return "", fmt.Errorf("it has no program for %s: %w", platform, errIncompatible)
	}
	if !slices.ContainsFunc(m.Protocols, func(v int) bool { return slices.Contains(wire.Versions, v) }) {
		return "", fmt.Errorf("it speaks the plugin protocols %v, this version %v: %w", m.Protocols, wire.Versions, errIncompatible)
	}
	return program, nil
}
