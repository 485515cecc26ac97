package policy

import (
	"strings"
	"time"
)

// Policy is what is in force on a machine: the built-in default and all policy
// files, merged. It does not change; a reload makes a new one. Safe for
// concurrent use.
type Policy struct {
	merged  []merged // by Key.index
	credits map[Action]credit
	files   []*File
	hash    string
	now     func() time.Time

	fault   *fault // what could not be read, and so what is refused
	sealed  *Rule  // the seal, on a system that was disabled for good
	unsure  bool   // sealed says only that it cannot be known
	notes   []Note
	signers *Signers
}

// File is a policy file that was loaded.
type File struct {
	Path    string `json:"path"`
	Name    string `json:"name"`    // from its policy block, else the name of the file
	Version int64  `json:"version"` // 0 when it gives none
	SHA256  string `json:"sha256"`
	Signer  string `json:"signer,omitempty"` // the principal whose signature holds
}

// statement is what one file says for one key.
type statement struct {
	key   *Key
	value value
	rule  Rule
}

// merged is what all statements for a key come to.
type merged struct {
	said  []statement // the built-in one first, then by file, line and column
	value value
	spoke bool // there is anything to obey
}

const builtInFile = "built-in default"

// Default returns the policy that is in force when there are no files.
func Default() *Policy { return build(nil, nil, options{}) }

func build(files []*File, said []statement, o options) *Policy {
	p := &Policy{merged: make([]merged, len(keys)), files: files, now: o.now}
	if p.now == nil {
		p.now = time.Now
	}
	for _, k := range keys {
		if k.builtIn != nil {
			m := &p.merged[k.index]
			m.said = append(m.said, statement{k, *k.builtIn, Rule{Key: k.Path(), Value: k.format(k.builtIn), Source: Source{File: builtInFile}}})
		}
	}
	for _, s := range said {
		m := &p.merged[s.key.index]
		m.said = append(m.said, s)
	}
	for i := range p.merged {
		m := &p.merged[i]
		m.spoke = len(m.said) > 0
		for j := range m.said {
			if j == 0 {
				m.value = m.said[0].value
				continue
			}
			m.value = keys[i].merge(m.value, m.said[j].value)
		}
		keys[i].settle(&m.value)
	}
	p.credits = make(map[Action]credit, len(needed))
	for a := range needed {
		p.credits[a] = p.creditFor(a)
	}
	return p
}

// Files returns the policy files in force, by path.
func (p *Policy) Files() []*File { return p.files }

// Hash names what is in force: equal hashes, equal policy. It stands in
// session passports and in bundle manifests.
func (p *Policy) Hash() string { return p.hash }

// Redactions returns what files add to the product's own rules.
func (p *Policy) Redactions() []Redaction {
	return p.merged[keyByPath["bundles.redact"].index].value.redacts
}

// RandomIPs says whether the pseudonyms of addresses must have no structure.
func (p *Policy) RandomIPs() bool { return p.says("bundles.random_ips") }

// BundleCommands returns the command lines whose output bundles collect besides
// what the collectors do, sorted, each split into its words.
func (p *Policy) BundleCommands() [][]string {
	var out [][]string
	for _, l := range p.merged[keyByPath["bundles.commands"].index].value.lists {
		for _, item := range l.items {
			out = append(out, strings.Fields(item))
		}
	}
	return out
}

// SignatureRequired reports whether policy files must be signed.
func (p *Policy) SignatureRequired() bool {
	return p.merged[keyByPath["require_signature"].index].value.yes
}

// RemoteAccess returns the word of remote_access that is in force and the rule
// that made it so.
func (p *Policy) RemoteAccess() (string, Rule) {
	k := keyByPath["remote_access"]
	m := &p.merged[k.index]
	switch {
	case p.unsure:
		return k.Words[accessLockedOff].Word, *p.sealed
	case p.sealed != nil:
		return k.Words[accessDisabled].Word, *p.sealed
	case p.fault != nil && m.value.n < accessLockedOff:
		return k.Words[accessLockedOff].Word, p.fault.rule
	}
	return k.Words[m.value.n].Word, m.winner().rule
}

// winner returns the first statement that says what is in force.
func (m *merged) winner() statement {
	for _, s := range m.said {
		if s.key.format(&s.value) == s.key.format(&m.value) {
			return s
		}
	}
	return m.said[0]
}

// Rules returns every rule of the policy files, in the order of the language.
func (p *Policy) Rules() []Rule {
	var out []Rule
	for i := range p.merged {
		for _, s := range p.merged[i].said {
			if s.fromFile() {
				out = append(out, s.rule)
			}
		}
	}
	return out
}
