package accuracy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Case is one input and what must become of it.
type Case struct {
	ID       string `json:"id"`
	Source   string `json:"source"`
	Rule     string `json:"rule"`
	Kind     string `json:"kind"`
	Category string `json:"category"`
	// File is a path hint, handed to the engine as the file's name.
	File  string `json:"file"`
	Input string `json:"input"`

	MustHide   []string `json:"must_hide"`
	MustKeep   []string `json:"must_keep"`
	MustPseudo []string `json:"must_pseudo"`
	PolicyHide []string `json:"policy_hide"`
	// SoftKeep makes a lost must_keep a statistic and not a failure.
	SoftKeep bool  `json:"soft_keep"`
	Hints    Hints `json:"hints"`

	// Set is the base name of the file that the case came from; it is the row
	// that the case counts in.
	Set string `json:"-"`
}

// Hints are what the sanitizer may be told about the machine.
type Hints struct {
	Hosts   []string `json:"hosts"`
	Domains []string `json:"domains"`
	Users   []string `json:"users"`
}

// UnmarshalJSON accepts lists as well as single strings, and "host", "hostname"
// or "user" for the plural names.
func (h *Hints) UnmarshalJSON(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("hints: %w", err)
	}
	for k, v := range m {
		var list []string
		if err := json.Unmarshal(v, &list); err != nil {
			var one string
			if err := json.Unmarshal(v, &one); err != nil {
				continue // a hint of a kind that we do not know
			}
			list = []string{one}
		}
		switch strings.ToLower(k) {
		case "host", "hosts", "hostname", "hostnames":
			h.Hosts = append(h.Hosts, list...)
		case "domain", "domains":
			h.Domains = append(h.Domains, list...)
		case "user", "users", "username", "usernames":
			h.Users = append(h.Users, list...)
		}
	}
	return nil
}

// name is what the engine is told the file is called.
func (c *Case) name() string {
	if c.File == "" {
		return "input.txt"
	}
	return c.File
}

// label is the finer grouping inside a set, for listings.
func (c *Case) label() string {
	for _, s := range []string{c.Rule, c.Category, c.Kind} {
		if s != "" {
			return s
		}
	}
	return "-"
}

// Load reads the cases of all *.jsonl files and all marked *.txt files of a
// directory, in the order of their names.
func Load(dir string) ([]Case, error) {
	var files []string
	for _, pattern := range []string{"*.jsonl", "*.txt"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", dir, err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no *.jsonl or *.txt cases in %s", dir)
	}
	sort.Strings(files)
	var out []Case
	for _, f := range files {
		load := loadFile
		if strings.HasSuffix(f, ".txt") {
			load = loadMarked
		}
		cs, err := load(f)
		if err != nil {
			return nil, err
		}
		out = append(out, cs...)
	}
	return out, nil
}

func loadFile(path string) ([]Case, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := strings.TrimSuffix(filepath.Base(path), ".jsonl")
	var out []Case
	sc := bufio.NewScanner(bytes.NewReader(b))
	sc.Buffer(nil, 64<<20)
	for n := 1; sc.Scan(); n++ {
		line := bytes.TrimSpace(sc.Bytes())
		if len(line) == 0 {
			continue
		}
		var c Case
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if c.ID == "" {
			c.ID = fmt.Sprintf("%s-%d", set, n)
		}
		c.Set = set
		out = append(out, c)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return out, nil
}
