package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/paths"
)

// memory is what a system remembers about its policy from one load to the
// next: that signatures are required, by whom, and how new each file was. It
// is kept in three places; what any of them remembers counts.
type memory struct {
	Version int    `json:"version"` // of this format: 1
	Serial  uint64 `json:"serial"`  // counts the writes: the newer of two copies wins where they are not to be joined

	RequireSignature bool                `json:"require_signature"`
	Signers          string              `json:"signers,omitempty"` // the list in force, while signatures are required
	Files            map[string]seenFile `json:"files"`             // by name of the policy
	lost             bool                // some of the copies were there and some were not
}

type seenFile struct {
	Path    string `json:"path"`
	Version int64  `json:"version"`
	SHA256  string `json:"sha256"`
}

// memoryPlaces are in the directory of state, in that of configuration and
// beside them, so that a restored backup of either, or of both, leaves one that
// remembers.
func memoryPlaces(root paths.Root) []string {
	return []string{root.Var("policy", "memory.json"), root.Etc("policy.memory"), root.Var() + ".policy"}
}

// remember reads what the system remembers. A copy that cannot be read is an
// error: it may have said that signatures are required.
func remember(root paths.Root) (memory, error) {
	out := memory{Files: map[string]seenFile{}}
	found, missing := 0, 0
	for _, place := range memoryPlaces(root) {
		data, err := os.ReadFile(place)
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return out, fmt.Errorf("read what is known about the policy: %w", err)
		}
		var m memory
		if err := json.Unmarshal(data, &m); err != nil || m.Version != 1 {
			return out, fmt.Errorf("%s was damaged or changed by hand; if you did not do that, somebody did", place)
		}
		found++
		out = join(out, m)
	}
	out.lost = found > 0 && missing > 0
	return out, nil
}

// join takes the stricter of two memories.
func join(a, b memory) memory {
	newer, older := a, b
	if b.Serial > a.Serial {
		newer, older = b, a
	}
	// A release of the signature is in the newer copy only when both were
	// written; a restored old copy must not bring an old list of signers back.
	newer.Version = 1
	files := map[string]seenFile{}
	for name, f := range newer.Files {
		files[name] = f
	}
	for name, f := range older.Files {
		if have, ok := files[name]; !ok && newer.RequireSignature || ok && f.Version > have.Version {
			files[name] = f
		}
	}
	newer.Files = files
	return newer
}

// keep writes the memory to all places.
func (m memory) keep(root paths.Root) error {
	m.Version = 1
	m.Serial++
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	for _, place := range memoryPlaces(root) {
		if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
			return fmt.Errorf("remember the policy: %w", err)
		}
		if err := durable.WriteFileMode(place, append(data, '\n'), 0o644); err != nil {
			return fmt.Errorf("remember the policy: %w", err)
		}
	}
	return nil
}

func (m memory) same(o memory) bool {
	a, _ := json.Marshal(m)
	b, _ := json.Marshal(o)
	return string(a) == string(b)
}
