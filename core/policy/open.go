package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy/seal"
)

// SignersPath is the list of those who may sign policy files.
func SignersPath(root paths.Root) string { return root.Etc("policy_signers") }

// Open loads the policy of a system: the seal before anything else, then the
// global switch, then the files with their signatures and versions, held
// against what the system remembers of them.
//
// Like [Load] it always returns a policy that can be asked, and a [*LoadError]
// when that denies because something is wrong.
func Open(root paths.Root, opts ...Option) (*Policy, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	sealed := seal.Check(root)
	if !o.readOnly {
		defer lock(root)()
	}
	if o.now == nil {
		o.now = time.Now
	}
	l := &loader{options: o, root: root, signers: &Signers{}}
	l.load()
	sw, err := readSwitch(root)
	if o.sw != nil {
		sw, err = *o.sw, nil
	}
	if err != nil {
		l.wrong(EffectivePath(root), err.Error(), "run `remote-support build-config`")
	} else if sw.On {
		l.said = append(l.said, sw.statement())
	}
	o.said = l.said
	p, err := assemble(l.decoded, l.mistakes, o)
	p.signers = l.signers
	p.notes = l.notes
	if sealed.Disabled() {
		p.sealed, p.unsure = sealRule(sealed), !sealed.Sealed
		p.hash = hashText(p.hash + " sealed")
		if sealed.Sealed && !o.readOnly {
			if err := seal.Mend(root); err != nil {
				p.note("", "the seal could not be put back everywhere: "+err.Error())
			} else if len(sealed.Missing) > 0 {
				p.note("", fmt.Sprintf("the seal was missing in %v and was put back", sealed.Missing))
			}
		}
	}
	if err == nil && !o.readOnly {
		l.remember(p)
		p.notes = append(p.notes, l.late...)
	}
	return p, err
}

func sealRule(s seal.State) *Rule {
	r := &Rule{Key: "seal", Value: "permanently disabled", Source: Source{File: s.Place}, Reason: s.Record.Cause}
	if s.Trouble != nil {
		r.Value, r.Source.File = "cannot be read: "+s.Trouble.Error(), "seal"
	} else if !s.Record.SealedAt.IsZero() {
		r.Value += " since " + s.Record.SealedAt.Format("2006-01-02 15:04 MST")
	}
	return r
}

func (p *Policy) note(file, text string) { p.notes = append(p.notes, Note{file, text}) }

// Notes are what changed since the last load and what else the customer should
// know; the agent writes them to the audit log.
func (p *Policy) Notes() []Note { return p.notes }

// MustSeal reports whether a policy file asks for the system to be disabled
// for good and that was not done yet, with the record to do it with: the agent
// fills in who and where, calls [seal.Seal], and then cuts and destroys. A
// policy that does not load never asks for it.
func (p *Policy) MustSeal() (seal.Record, bool) {
	m := &p.merged[keyByPath["remote_access"].index]
	if p.sealed != nil || p.fault != nil || m.value.n != accessDisabled {
		return seal.Record{}, false
	}
	rule := m.winner().rule
	r := p.Record()
	r.By, r.Cause = "policy", fmt.Sprintf("%s = %s at %s", rule.Key, rule.Value, rule.Source)
	if rule.Reason != "" {
		r.Cause += ": " + rule.Reason
	}
	return r, true
}

// Record begins the record of a seal with the time and the policy in force.
func (p *Policy) Record() seal.Record {
	r := seal.Record{SealedAt: p.now(), Policy: p.hash, Bundles: p.says("bundles.allowed") && p.says("bundles.send")}
	r.Host, _ = os.Hostname()
	for _, f := range p.files {
		r.Files = append(r.Files, seal.File{Path: f.Path, SHA256: f.SHA256})
	}
	return r
}

// says returns the merged value of a switch.
func (p *Policy) says(key string) bool { return p.merged[keyByPath[key].index].value.yes }

// Sealed reports whether the system was disabled for good, and by what.
func (p *Policy) Sealed() (Rule, bool) {
	if p.sealed == nil || p.unsure {
		return Rule{}, false
	}
	return *p.sealed, true
}

// Signers are those whose signatures were accepted.
func (p *Policy) Signers() *Signers { return p.signers }

// loader holds the policy files of a system against what it remembers.
type loader struct {
	options
	root    paths.Root
	memory  memory
	signers *Signers

	decoded  []*decoder
	mistakes []Mistake
	notes    []Note
	late     []Note
	required bool
	all      bool // every file carries a signature that holds
}

func (l *loader) wrong(file, what, hint string) {
	l.mistakes = append(l.mistakes, Mistake{Source: Source{File: file, Line: 1, Column: 1}, What: what, Hint: hint, bundles: true})
}

func (l *loader) load() {
	files, mistakes := readDir(l.root.Policies())
	l.mistakes = mistakes
	l.decoded = decodeAll(files)
	m, err := remember(l.root)
	if err != nil {
		l.wrong(memoryPlaces(l.root)[0], err.Error(), "restore it, or let the security team decide")
	}
	l.memory = m
	l.required = m.RequireSignature
	for _, d := range l.decoded {
		for _, s := range d.said {
			l.required = l.required || s.key.Path() == "require_signature" && s.value.yes
		}
	}
	l.loadSigners()
	l.checkSignatures(files)
	l.checkVersions()
}

// loadSigners reads the list of signers. While signatures are required it
// changes only by a newer list that one of the old signers signed.
func (l *loader) loadSigners() {
	path := SignersPath(l.root)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.wrong(path, err.Error(), "")
		return
	}
	fresh, err := ParseSigners(text)
	if err != nil {
		l.wrong(path, "the list of signers: "+err.Error(), "")
		fresh = &Signers{}
	}
	l.signers = fresh
	if !l.memory.RequireSignature || l.memory.Signers == "" {
		return
	}
	pinned, err := ParseSigners([]byte(l.memory.Signers))
	if err != nil {
		l.wrong(path, "the remembered list of signers: "+err.Error(), "")
		return
	}
	l.signers = pinned
	if bytes.Equal(text, []byte(l.memory.Signers)) {
		return
	}
	sig, err := readSignature(path)
	if err != nil {
		l.wrong(path, err.Error(), "")
		return
	}
	by, err := pinned.verify(text, sig, l.now())
	switch {
	case err != nil:
		l.wrong(path, "the list of trusted signers was changed, and "+err.Error(), "one of the signers so far must sign it: `remote-support policy sign`")
	case fresh.Version <= pinned.Version:
		l.wrong(path, fmt.Sprintf("the list of trusted signers went back from version %d to %d", pinned.Version, fresh.Version), "give it a higher version and sign it again")
	default:
		l.signers = fresh
		l.notes = append(l.notes, Note{path, "the list of trusted signers was changed by " + by})
	}
}

func (l *loader) checkSignatures(files map[string][]byte) {
	l.all = true
	for _, d := range l.decoded {
		sig, err := readSignature(d.file)
		if err == nil {
			d.info.Signer, err = l.signers.verify(files[d.file], sig, l.now())
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, errNoSignature) && l.required:
			l.wrong(d.file, "policy files must be signed, and this one is not", "sign it: `remote-support policy sign "+d.file+"` or `ssh-keygen -Y sign -n "+Namespace+"`")
		case errors.Is(err, errNoSignature):
		case len(l.signers.list) == 0 && !l.required:
			l.notes = append(l.notes, Note{d.file, "it is signed, but no signer is trusted: `remote-support policy trust KEYFILE`"})
		default:
			l.wrong(d.file, err.Error(), "sign it again, or put back what was signed")
		}
		l.all = false
	}
	if l.required && len(l.signers.list) == 0 {
		l.wrong(SignersPath(l.root), "signatures are required, and no signer is trusted", "`remote-support policy trust KEYFILE`")
	}
}

// checkVersions notices files that went back, changed or went away.
func (l *loader) checkVersions() {
	here := map[string]bool{}
	for _, d := range l.decoded {
		f := d.info
		here[f.Name] = true
		was, seen := l.memory.Files[f.Name]
		switch {
		case !seen:
			l.notes = append(l.notes, Note{f.Path, "new policy file"})
		case f.Version < was.Version:
			l.wrong(f.Path, fmt.Sprintf("the policy %q went back from version %d to %d", f.Name, was.Version, f.Version), fmt.Sprintf("put back version %d, or write a higher one", was.Version))
		case f.SHA256 != was.SHA256 && l.memory.RequireSignature && f.Version == was.Version:
			l.wrong(f.Path, fmt.Sprintf("the policy %q was changed and still says version %d", f.Name, f.Version), fmt.Sprintf("write version %d and sign it again", f.Version+1))
		case f.SHA256 != was.SHA256:
			l.notes = append(l.notes, Note{f.Path, "the policy file was changed"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.memory.Files)) {
		was := l.memory.Files[name]
		switch {
		case here[name]:
		case l.memory.RequireSignature:
			l.wrong(was.Path, fmt.Sprintf("the policy %q is gone", name), "put it back; to retire it, put a signed file of that name with a higher version and no rules in its place")
		default:
			l.notes = append(l.notes, Note{was.Path, "the policy file is gone"})
		}
	}
	if l.memory.lost {
		l.notes = append(l.notes, Note{"", "a place that remembers the policy was lost and was written again"})
	}
}

// remember writes what was loaded, when that is news.
func (l *loader) remember(p *Policy) {
	next := memory{Version: 1, Serial: l.memory.Serial, RequireSignature: l.required, Files: map[string]seenFile{}}
	if l.memory.RequireSignature && l.all && len(l.decoded) > 0 && released(p) {
		next.RequireSignature = false
		l.late = append(l.late, Note{"", "signatures are no longer required: signed policy files say so"})
	}
	if next.RequireSignature {
		next.Signers = l.signers.text
		if !l.memory.RequireSignature {
			l.late = append(l.late, Note{"", "signatures are required from now on"})
		}
	}
	for _, d := range l.decoded {
		next.Files[d.info.Name] = seenFile{d.info.Path, d.info.Version, d.info.SHA256}
	}
	before := l.memory
	before.lost = false
	before.Version = 1
	if next.same(before) && !l.memory.lost {
		return
	}
	if len(next.Files) == 0 && !next.RequireSignature && before.Serial == 0 {
		return // nothing to remember on a system without policy
	}
	if err := next.keep(l.root); err != nil {
		l.late = append(l.late, Note{"", err.Error()})
	}
}

// released reports whether files say that signatures are not required, and
// none says the contrary.
func released(p *Policy) bool {
	m := &p.merged[keyByPath["require_signature"].index]
	return len(m.said) > 0 && !m.value.yes
}
