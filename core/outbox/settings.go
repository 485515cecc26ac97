package outbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// Names of built-in plugins for which something is taken from elsewhere.
const (
	Array = "infinibox" // takes the array's addresses and the user for events from the settings of the login
	mail  = "smtp"      // takes them to look up the mail relay
)

const (
	maxSettings = 1 << 20
	usualKeep   = 10_000
	maxKeep     = 1_000_000
)

// Settings are those of one sink.
type Settings struct {
	Name   string
	Plugin string
	File   string // where they are from
	Events []string
	Keep   int
	// Missing says why nothing is delivered although somebody might expect it.
	Missing string

	choice choice
	config map[string]json.RawMessage // for the plugin
	lines  map[string]int
}

// MistakeError is a mistake in a file of settings.
type MistakeError struct {
	File string
	Line int // 0 when it is about the file
	What string
}

func (e *MistakeError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.What
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What)
}

// ExitCode is that of wrong usage.
func (e *MistakeError) ExitCode() int { return 2 }

var sinkName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// Settings reads the settings of all sinks, in the order of their names. Those
// with a mistake are left out and named by the error; broken has their names.
func (o *Outbox) Settings() (all []Settings, broken []string, err error) {
	list, lerr := os.ReadDir(o.opt.Config)
	if lerr != nil && !errors.Is(lerr, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("list the event sinks: %w", lerr)
	}
	base, berr := o.array()
	var errs []error
	named := false
	for _, f := range list {
		name, found := strings.CutSuffix(f.Name(), ".json")
		if !found || strings.HasPrefix(name, ".") {
			continue
		}
		named = named || name == Array
		s, err := o.read(name, base, berr)
		if err != nil {
			errs, broken = append(errs, err), append(broken, name)
			continue
		}
		all = append(all, s)
	}
	if !named {
		switch s, err := o.implied(base, berr); {
		case err != nil:
			errs, broken = append(errs, err), append(broken, Array)
		case s != nil:
			all = append(all, *s)
		}
	}
	slices.SortFunc(all, func(a, b Settings) int { return strings.Compare(a.Name, b.Name) })
	return all, broken, errors.Join(errs...)
}

// read reads the file of one sink.
func (o *Outbox) read(name string, base map[string]json.RawMessage, berr error) (Settings, error) {
	path := filepath.Join(o.opt.Config, name+".json")
	if !sinkName.MatchString(name) {
		return Settings{}, &MistakeError{File: path, What: "the name of a sink has lower-case letters, digits, - and _"}
	}
	s, err := readFile(path)
	if err != nil {
		return s, err
	}
	s.Name = name
	if s.Plugin == "" {
		s.Plugin = name
	}
	if len(s.Events) == 0 {
		s.Events = usual(s.Plugin)
	}
	if s.choice, err = choose(s.Events); err != nil {
		return s, &MistakeError{path, s.lines["events"], "events: " + err.Error()}
	}
	if s.Plugin == Array || s.Plugin == mail && s.config["host"] == nil {
		return s, s.useArray(base, berr)
	}
	return s, nil
}

// useArray adds what the settings of the login say about the array to what the
// sink's own say.
func (s *Settings) useArray(base map[string]json.RawMessage, berr error) error {
	own := map[string]json.RawMessage{}
	if raw := s.config["array"]; raw != nil && json.Unmarshal(raw, &own) != nil {
		return &MistakeError{s.File, s.lines["array"], "array: want an object"}
	}
	if berr != nil && own["addresses"] == nil {
		return berr
	}
	all := maps.Clone(base)
	if all == nil || own["addresses"] != nil {
		all = map[string]json.RawMessage{}
	}
	maps.Copy(all, own)
	if len(all) == 0 {
		return nil // the plugin says what is missing
	}
	if all["event_user"] == nil {
		s.Missing = noUser(s.File)
	}
	var err error
	s.config["array"], err = json.Marshal(all)
	return err
}

func noUser(path string) string {
	return "no user for events is set (event_user, event_password): events do not reach the array; set them in " + path
}

// implied is the array to which users log in: it gets events without a file of
// its own.
func (o *Outbox) implied(base map[string]json.RawMessage, berr error) (*Settings, error) {
	if base == nil || berr != nil {
		return nil, berr
	}
	s := &Settings{Name: Array, Plugin: Array, File: o.opt.Array, Events: usual(Array), Keep: usualKeep, config: map[string]json.RawMessage{}}
	s.choice, _ = choose(s.Events)
	return s, s.useArray(base, nil)
}

// array reads what the settings of the login say about the array, nil if there
// are none.
func (o *Outbox) array() (map[string]json.RawMessage, error) {
	if o.opt.Array == "" {
		return nil, nil
	}
	s, err := readFile(o.opt.Array)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for _, k := range []string{"addresses", "pin", "ca", "insecure_skip_verify", "timeout", "event_user", "event_password"} {
		if v := s.config[k]; v != nil && string(v) != `""` && string(v) != "null" {
			out[k] = v
		}
	}
	if out["addresses"] == nil {
		return nil, nil
	}
	return out, nil
}

func readFile(path string) (Settings, error) {
	data, shared, err := readTrusted(path)
	if err != nil {
		return Settings{}, err
	}
	s, err := parse(path, data)
	if err == nil && shared {
		if name := secretIn(s.config); name != "" {
			err = &MistakeError{path, s.lines[name], fmt.Sprintf("it holds a password (%s) and can be read by others; run: chmod 600 %s, and change the password", name, path)}
		}
	}
	return s, err
}

// parse reads settings. No error quotes a value: it may be a secret.
func parse(path string, data []byte) (Settings, error) {
	s := Settings{File: path, Keep: usualKeep}
	var err error
	if s.lines, err = positions(data); err != nil {
		var m *MistakeError
		if errors.As(err, &m) {
			m.File = path
		}
		return s, err
	}
	if err := json.Unmarshal(data, &s.config); err != nil || s.config == nil {
		return s, &MistakeError{File: path, Line: 1, What: "it is no JSON object"}
	}
	for name, want := range map[string]struct {
		to   any
		what string
	}{
		"plugin": {&s.Plugin, "the name of an event sink"},
		"events": {&s.Events, "a list of events"},
		"keep":   {&s.Keep, "a whole number"},
	} {
		raw, said := s.config[name]
		if delete(s.config, name); !said {
			continue
		}
		if json.Unmarshal(raw, want.to) != nil {
			return s, &MistakeError{path, s.lines[name], name + ": want " + want.what}
		}
	}
	switch {
	case s.Plugin != "" && !sinkName.MatchString(s.Plugin):
		return s, &MistakeError{path, s.lines["plugin"], "plugin: want the name of an event sink"}
	case s.Keep < 1 || s.Keep > maxKeep:
		return s, &MistakeError{path, s.lines["keep"], fmt.Sprintf("keep: want 1 to %d events", maxKeep)}
	}
	return s, nil
}

// positions finds the line of each name, those of groups as group.name, and
// refuses what has no clear meaning.
func positions(data []byte) (map[string]int, error) {
	lines := map[string]int{}
	dec := json.NewDecoder(bytes.NewReader(data))
	line := func(at int64) int { return 1 + bytes.Count(data[:min(at, int64(len(data)))], []byte("\n")) }
	bad := func(err error) error {
		at := dec.InputOffset()
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = max(at, syntax.Offset-1)
		}
		return &MistakeError{Line: line(at), What: "it is no JSON: a comma, a quote or a bracket is missing or too many"}
	}
	var value func(prefix string, depth int) error
	value = func(prefix string, depth int) error {
		if depth > 8 {
			return &MistakeError{Line: line(dec.InputOffset()), What: "it is nested too deeply"}
		}
		t, err := dec.Token()
		if err != nil {
			return bad(err)
		}
		d, _ := t.(json.Delim)
		if d != '{' && d != '[' {
			return nil
		}
		for dec.More() {
			name := prefix
			if d == '{' {
				key, err := dec.Token()
				if err != nil {
					return bad(err)
				}
				name = strings.TrimPrefix(prefix+"."+key.(string), ".")
				if lines[name] != 0 {
					return &MistakeError{Line: line(dec.InputOffset()), What: fmt.Sprintf("%.60q is said twice, first in line %d", name, lines[name])}
				}
				lines[name] = line(dec.InputOffset())
			} else {
				name += "[]"
			}
			if err := value(name, depth+1); err != nil {
				return err
			}
			if d == '[' {
				for k := range lines {
					if strings.HasPrefix(k, name+".") {
						delete(lines, k)
					}
				}
			}
		}
		if _, err := dec.Token(); err != nil {
			return bad(err)
		}
		return nil
	}
	if err := value("", 0); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, &MistakeError{Line: line(dec.InputOffset()), What: "something stands behind the object"}
	}
	return lines, nil
}

var secretNames = []string{"password", "event_password", "key", "token", "client_secret"}

func secretIn(config map[string]json.RawMessage) string {
	for name, v := range config {
		if slices.Contains(secretNames, name) && string(v) != `""` && string(v) != "null" {
			return name
		}
		var inner map[string]json.RawMessage
		if json.Unmarshal(v, &inner) == nil && inner != nil {
			if found := secretIn(inner); found != "" {
				return name + "." + found
			}
		}
	}
	return ""
}

// readTrusted reads a file that only root and the agent's own user can write, and
// says whether others can read it.
func readTrusted(path string) (data []byte, shared bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, fmt.Errorf("read settings of an event sink: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("read settings of an event sink: %w", err)
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil, false, fmt.Errorf("read settings of an event sink: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, false, &MistakeError{File: path, What: "it is no file"}
	case info.Size() > maxSettings:
		return nil, false, &MistakeError{File: path, What: "it is too large"}
	}
	for place, info := range map[string]fs.FileInfo{path: info, filepath.Dir(path): dir} {
		owner, ok := info.Sys().(*syscall.Stat_t)
		if info.Mode().Perm()&0o022 != 0 || !ok || owner.Uid != 0 && owner.Uid != uint32(os.Geteuid()) {
			return nil, false, &MistakeError{File: place, What: fmt.Sprintf("it can be written by others than root, and says where events go; run: chown root %s && chmod go-w %s", place, place)}
		}
	}
	data = make([]byte, info.Size())
	n, err := f.ReadAt(data, 0)
	if err != nil && n < len(data) {
		return nil, false, fmt.Errorf("read %s: %w", path, err)
	}
	return data, info.Mode().Perm()&0o044 != 0, nil
}

// Public is a setting that is no secret, as text, for lists; "" if it is not set.
func (s Settings) Public(name string) string {
	if slices.Contains(secretNames, name) {
		return ""
	}
	var text string
	if json.Unmarshal(s.config[name], &text) != nil {
		return strings.Trim(string(s.config[name]), `"`)
	}
	return text
}

// Arrays are the management addresses of the array that the sink asks.
func (s Settings) Arrays() []string {
	var array struct{ Addresses []string }
	if json.Unmarshal(s.config["array"], &array) != nil {
		return nil
	}
	return array.Addresses
}
