package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"
)

const maxSettings = 1 << 20

// keysFile has the vendor's keys for challenges.
const keysFile = "challenge.keys"

// settings reads those of a method, and who must agree to its logins.
func (s *Service) settings(method string) (json.RawMessage, []string, error) {
	out := map[string]json.RawMessage{}
	path := filepath.Join(s.opts.Config, method+".json")
	b, err := readTrusted(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return nil, nil, err
	}
	if !missing {
		// What json says quotes no value; the file may hold a secret.
		if err := json.Unmarshal(b, &out); err != nil || out == nil {
			return nil, nil, &UsageError{fmt.Sprintf("%s is no JSON object", path)}
		}
	}
	if !missing {
		if err := keptSecret(path, out); err != nil {
			return nil, nil, err
		}
	}
	ask, err := splitConsent(path, out)
	if err != nil {
		return nil, nil, err
	}
	if method == Challenge {
		keys, err := readTrusted(filepath.Join(s.opts.Config, keysFile))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, &UsageError{fmt.Sprintf("there is no list of the vendor's keys; put it into %s", filepath.Join(s.opts.Config, keysFile))}
		}
		if err != nil {
			return nil, nil, err
		}
		if out["keys"], err = json.Marshal(string(keys)); err != nil {
			return nil, nil, err
		}
	} else if missing {
		return nil, nil, &UsageError{fmt.Sprintf("logging in by %s is not set up; its settings belong into %s", method, path)}
	}
	set, err := json.Marshal(out)
	return set, ask, err
}

// secretSettings hold what nobody but root may read.
var secretSettings = []string{"event_password", "client_secret", "key", "password"}

// keptSecret refuses a file with a password that others can read.
func keptSecret(path string, settings map[string]json.RawMessage) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read settings of a login: %w", err)
	}
	if info.Mode().Perm()&0o044 == 0 {
		return nil
	}
	all := maps.Clone(settings)
	for _, value := range settings { // those of a proxy are one level down
		var inner map[string]json.RawMessage
		if json.Unmarshal(value, &inner) == nil {
			maps.Copy(all, inner)
		}
	}
	for _, name := range secretSettings {
		if v := string(all[name]); v != "" && v != `""` && v != "null" {
			return fmt.Errorf("%s holds a password (%s) and can be read by others; run: chmod 600 %s, and change the password", path, name, path)
		}
	}
	return nil
}

// readTrusted reads a file that decides who gets in: one that, with its
// directory, only root and the agent's own user can write.
func readTrusted(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read settings of a login: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read settings of a login: %w", err)
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read settings of a login: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	for place, info := range map[string]fs.FileInfo{path: info, filepath.Dir(path): dir} {
		owner, ok := info.Sys().(*syscall.Stat_t)
		if info.Mode().Perm()&0o022 != 0 || !ok || owner.Uid != 0 && owner.Uid != uint32(os.Geteuid()) {
			return nil, fmt.Errorf("%s can be written by others than root, and says who gets in; run: chown root %s && chmod go-w %s", place, place, place)
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSettings+1))
	if err == nil && len(b) > maxSettings {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return b, nil
}

// UsageError is a login that cannot be as it was asked for or set up.
type UsageError struct{ msg string }

func (e *UsageError) Error() string { return e.msg }

// ExitCode is that of wrong usage.
func (e *UsageError) ExitCode() int { return 2 }
