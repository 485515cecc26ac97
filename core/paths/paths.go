package paths

import (
	"fmt"
	"os"
	"path/filepath"
)

// Root is a resolved set of places. The zero value is not useful; see [New].
type Root struct {
	// Dir is what --root named, absolute, or empty for the system's own places.
	Dir string

	etc, state, run string
}

// New resolves dir, which may be relative and need not exist yet. An empty dir
// means the system's own places.
func New(dir string) (Root, error) {
	if dir == "" {
		return Root{etc: "/etc/latchstring", state: "/var/lib/latchstring", run: "/run/latchstring"}, nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Root{}, fmt.Errorf("resolve --root %s: %w", dir, err)
	}
	return Root{
		Dir:   abs,
		etc:   filepath.Join(abs, "etc"),
		state: filepath.Join(abs, "var"),
		run:   filepath.Join(abs, "run"),
	}, nil
}

// Etc joins elem to the configuration directory.
func (r Root) Etc(elem ...string) string { return filepath.Join(append([]string{r.etc}, elem...)...) }

// Var joins elem to the directory of state that survives restarts.
func (r Root) Var(elem ...string) string { return filepath.Join(append([]string{r.state}, elem...)...) }

// Run joins elem to the directory of sockets, empty after a boot.
func (r Root) Run(elem ...string) string { return filepath.Join(append([]string{r.run}, elem...)...) }

// LocalConfig is the shell-style configuration file of the machine.
func (r Root) LocalConfig() string { return r.Etc("local.cfg") }

// Policies is the directory of policy files.
func (r Root) Policies() string { return r.Etc("policies.d") }

// Plugins is the catalog directory of third-party plugins.
func (r Root) Plugins() string { return r.Etc("plugins.d") }

// Audit is the directory of the hash-chained audit log.
func (r Root) Audit() string { return r.Var("audit") }

// Identity is the directory of the system key and the pinned vendor keys.
func (r Root) Identity() string { return r.Var("identity") }

// Queue is the directory of bundles that wait for delivery.
func (r Root) Queue() string { return r.Var("queue") }

// Session is the file of the session that is, or was, open.
func (r Root) Session() string { return r.Var("session", "session.json") }

// Recordings is the directory of recordings, one directory a connection.
func (r Root) Recordings() string { return r.Var("recordings") }

// RecordingKey is the customer's key of recordings.
func (r Root) RecordingKey() string { return filepath.Join(r.Identity(), "recording.key") }

// Passports is the directory of session passports.
func (r Root) Passports() string { return r.Var("passports") }

// Secrets remembers the last secrets of sessions.
func (r Root) Secrets() string { return r.Var("session", "secrets.json") }

// Revocations is the vendor's list of revoked certificates.
func (r Root) Revocations() string { return r.Var("revocations.json") }

// ControlSocket is the unix socket of the agent's local API.
func (r Root) ControlSocket() string { return r.Run("control.sock") }

// Make creates the three directories: configuration 0755, state and run 0700.
func (r Root) Make() error {
	for _, d := range []struct {
		path string
		mode os.FileMode
	}{{r.etc, 0o755}, {r.state, 0o700}, {r.run, 0o700}} {
		if err := os.MkdirAll(d.path, d.mode); err != nil {
			return fmt.Errorf("create %s: %w", d.path, err)
		}
	}
	return nil
}
