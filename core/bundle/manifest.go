package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// FormatV1 names the version of the format that is written.
const FormatV1 = "latchstring-bundle/1"

// SignatureNamespace is the sshsig namespace of the manifest's signature.
const SignatureNamespace = "latchstring-bundle"

// The members every bundle begins with, in this order.
const (
	ManifestName   = "manifest.json"
	SignatureName  = "manifest.json.sig"
	RedactionsName = "redactions.json"
)

// Manifest says what a bundle holds and what it does not. Fields are only ever
// added within a version of the format.
type Manifest struct {
	Format     string            `json:"format"` // [FormatV1]
	Name       string            `json:"name"`   // the folder that holds everything
	Created    time.Time         `json:"created"`
	System     System            `json:"system"`
	Tool       Tool              `json:"tool"`
	Policy     string            `json:"policy,omitempty"` // version or hash of the policy in force
	Pseudonyms bool              `json:"pseudonyms"`
	Request    RequestRecord     `json:"request"`
	Asked      *Asked            `json:"asked,omitempty"`    // the vendor's request that it answers
	Machines   []MachineRecord   `json:"machines,omitempty"` // further machines whose files it holds
	Collectors []CollectorRecord `json:"collectors"`
	Redactions Digest            `json:"redactions"` // of redactions.json
	Files      []File            `json:"files"`      // sorted by path
	Missing    []Missing         `json:"missing,omitempty"`
}

// System is the machine the bundle comes from.
type System struct {
	ID   string `json:"id"`   // of its system key
	Host string `json:"host"` // a pseudonym unless pseudonyms are off
}

// Tool is the program that made the bundle.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// RequestRecord is what was asked for.
type RequestRecord struct {
	Since     *time.Time `json:"since,omitempty"`
	Only      []string   `json:"only,omitempty"`
	Skip      []string   `json:"skip,omitempty"`
	Include   []string   `json:"include,omitempty"`
	MaxBytes  int64      `json:"max_bytes,omitempty"`
	DeadlineS int64      `json:"deadline_seconds,omitempty"`
}

// CollectorRecord is what became of a collector.
type CollectorRecord struct {
	CollectorInfo
	DurationMS int64  `json:"duration_ms"`
	Files      int    `json:"files"`
	Bytes      int64  `json:"bytes"`
	Error      string `json:"error,omitempty"` // why it ended early
}

// File is a member of the bundle.
type File struct {
	Path       string     `json:"path"` // below the folder [Manifest.Name]
	Collector  string     `json:"collector"`
	Machine    string     `json:"machine,omitempty"` // name of one of the manifest's machines; empty: the one that made the bundle
	Source     string     `json:"source,omitempty"`
	Size       int64      `json:"size"`
	SHA256     string     `json:"sha256"`
	Config     bool       `json:"config,omitempty"`
	Truncated  bool       `json:"truncated,omitempty"`
	Reason     string     `json:"reason,omitempty"` // why it was cut
	ExitCode   *int       `json:"exit_code,omitempty"`
	DurationMS int64      `json:"duration_ms"`
	ModTime    *time.Time `json:"mtime,omitempty"`
}

// Missing is something that is not in the bundle.
type Missing struct {
	Collector string `json:"collector"`
	Machine   string `json:"machine,omitempty"`
	Name      string `json:"name,omitempty"` // empty: the whole collector
	Source    string `json:"source,omitempty"`
	State     State  `json:"state"`
	Reason    string `json:"reason,omitempty"`
}

// Digest identifies bytes.
type Digest struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hex
}

// Bytes is the size of all files together.
func (m *Manifest) Bytes() int64 {
	var n int64
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// ParseManifest reads a manifest of unknown origin. It refuses a version that
// it does not know, and names that could do harm.
func ParseManifest(data []byte) (*Manifest, error) {
	var m Manifest
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("read %s: %w", ManifestName, err)
	}
	if dec.More() {
		return nil, fmt.Errorf("read %s: something follows the manifest", ManifestName)
	}
	if m.Format != FormatV1 {
		return nil, fmt.Errorf("read %s: format %.40q is not known to this program, which knows %s", ManifestName, m.Format, FormatV1)
	}
	if err := checkElement(m.Name); err != nil {
		return nil, fmt.Errorf("read %s: name of the bundle: %w", ManifestName, err)
	}
	last := ""
	tree := tree{}
	for i, f := range m.Files {
		if err := checkPath(f.Path); err != nil {
			return nil, fmt.Errorf("read %s: file %d: %w", ManifestName, i, err)
		}
		if isReserved(f.Path) {
			return nil, fmt.Errorf("read %s: file %d: %q is the bundle's own", ManifestName, i, f.Path)
		}
		if f.Path <= last {
			return nil, fmt.Errorf("read %s: file %d: %q is doubled or out of order", ManifestName, i, f.Path)
		}
		last = f.Path
		if !tree.add(f.Path) {
			return nil, fmt.Errorf("read %s: file %d: %q is a file and a folder", ManifestName, i, f.Path)
		}
		if f.Size < 0 || !isSHA256(f.SHA256) {
			return nil, fmt.Errorf("read %s: file %q has no valid size and hash", ManifestName, f.Path)
		}
	}
	if m.Redactions.Size < 0 || !isSHA256(m.Redactions.SHA256) {
		return nil, fmt.Errorf("read %s: no valid size and hash of %s", ManifestName, RedactionsName)
	}
	return &m, nil
}

func isSHA256(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// encode renders v the one way in which bundles hold JSON.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return buf.Bytes(), nil
}
