package policy

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy/seal"
)

// A system is a scratch root with a security team.
type system struct {
	t    *testing.T
	root paths.Root
	keys map[string]ssh.Signer
}

func newSystem(t *testing.T) *system {
	t.Helper()
	root, err := paths.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(root.Make(), os.MkdirAll(root.Policies(), 0o755)); err != nil {
		t.Fatal(err)
	}
	return &system{t, root, map[string]ssh.Signer{}}
}

func (s *system) key(name string) ssh.Signer {
	if s.keys[name] == nil {
		_, priv, err := ed25519.GenerateKey(nil)
		if err != nil {
			s.t.Fatal(err)
		}
		if s.keys[name], err = ssh.NewSignerFromSigner(priv); err != nil {
			s.t.Fatal(err)
		}
	}
	return s.keys[name]
}

func (s *system) file(name string) string { return filepath.Join(s.root.Policies(), name) }

func (s *system) write(path, text string) {
	s.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) sign(path, who string) {
	s.t.Helper()
	if _, err := SignFile(path, s.key(who)); err != nil {
		s.t.Fatal(err)
	}
}

// signers writes the list of signers.
func (s *system) signers(version int, names ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "# version %d\n", version)
	for _, n := range names {
		fmt.Fprintf(&b, "%s namespaces=%q %s", n, Namespace, ssh.MarshalAuthorizedKey(s.key(n).PublicKey()))
	}
	s.write(SignersPath(s.root), b.String())
}

func (s *system) open() *Policy {
	s.t.Helper()
	p, err := Open(s.root, clockAt(monday))
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// refuse expects that the policy does not load, for the reason given, and that
// neither sessions nor bundles are allowed then.
func (s *system) refuse(why string) {
	s.t.Helper()
	p, err := Open(s.root, clockAt(monday))
	var e *LoadError
	if !errors.As(err, &e) || !strings.Contains(err.Error(), why) {
		s.t.Fatalf("error %v does not say %q", err, why)
	}
	if p.Decide(SessionOpen, full()).Allowed || p.Decide(BundleSend, full()).Allowed {
		s.t.Error("a policy that is not to be trusted allows")
	}
	if !p.Decide(SessionClose, full()).Allowed {
		s.t.Error("closing is refused")
	}
}

const signed = "policy {\n  name = \"site\"\n  version = %d\n}\nrequire_signature = true\n%s"

func TestOpenOfNothingIsTheDefault(t *testing.T) {
	s := newSystem(t)
	if p := s.open(); !p.Decide(SessionOpen, full()).Allowed || len(p.Notes()) > 0 {
		t.Errorf("%+v", p.Notes())
	}
	if _, err := os.Stat(memoryPlaces(s.root)[0]); err == nil {
		t.Error("something was remembered about nothing")
	}
}

func TestSignatureLifecycle(t *testing.T) {
	s := newSystem(t)
	site := s.file("site.hcl")
	s.write(site, fmt.Sprintf(signed, 1, ""))
	s.refuse("must be signed")
	s.signers(1, "ada")
	s.refuse("must be signed")
	s.sign(site, "mallory")
	s.refuse("signed by a key that is not trusted")
	s.sign(site, "ada")
	p := s.open()
	if p.Files()[0].Signer != "ada" || !p.SignatureRequired() {
		t.Errorf("%+v", p.Files()[0])
	}

	// Tampered.
	good, _ := os.ReadFile(site)
	s.write(site, string(good)+"# harmless\n")
	s.refuse("changed after ada signed it")
	// Unset by an unsigned file.
	s.write(site, "policy {\n  name = \"site\"\n  version = 2\n}\nrequire_signature = false\n")
	s.refuse("changed after ada signed it")
	if err := os.Remove(site + ".sig"); err != nil {
		t.Fatal(err)
	}
	s.refuse("must be signed")
	// Removed.
	if err := os.Remove(site); err != nil {
		t.Fatal(err)
	}
	s.refuse(`the policy "site" is gone`)
	// Another unsigned file.
	s.write(site, string(good))
	s.sign(site, "ada")
	s.write(s.file("extra.hcl"), "session { mfa = true }\n")
	s.refuse("must be signed")
	s.sign(s.file("extra.hcl"), "ada")
	s.open()

	// A new version, and back: replay of what was truly signed.
	oldSig, _ := os.ReadFile(site + ".sig")
	s.write(site, fmt.Sprintf(signed, 2, "session { mfa = true }"))
	s.sign(site, "ada")
	s.open()
	s.write(site, string(good))
	s.write(site+".sig", string(oldSig))
	s.refuse("went back from version 2 to 1")
	// The same version with other content.
	s.write(site, fmt.Sprintf(signed, 2, ""))
	s.sign(site, "ada")
	s.refuse("still says version 2")
	// Retired: an empty file of a higher version.
	s.write(site, "policy {\n  name = \"site\"\n  version = 3\n}\n")
	s.sign(site, "ada")
	if p := s.open(); p.Decide(SessionOpen, full()).Allowed { // extra still wants mfa
		t.Error("allowed")
	}
	// Still required, though no file says so any more.
	s.write(s.file("more.hcl"), "")
	s.refuse("must be signed")
	if err := os.Remove(s.file("more.hcl")); err != nil {
		t.Fatal(err)
	}
	// Released by a signed file.
	s.write(site, "policy {\n  name = \"site\"\n  version = 4\n}\nrequire_signature = false\n")
	s.sign(site, "ada")
	s.open()
	s.write(s.file("more.hcl"), "")
	s.open()
}

func TestSignersCannotBeSwapped(t *testing.T) {
	s := newSystem(t)
	site := s.file("site.hcl")
	s.write(site, fmt.Sprintf(signed, 1, ""))
	s.signers(1, "ada")
	s.sign(site, "ada")
	s.open()
	list, _ := os.ReadFile(SignersPath(s.root))

	s.signers(2, "ada", "mallory")
	s.refuse("the list of trusted signers was changed")
	s.sign(SignersPath(s.root), "mallory")
	s.refuse("not trusted")
	if err := os.Remove(SignersPath(s.root)); err != nil {
		t.Fatal(err)
	}
	s.refuse("the list of trusted signers was changed")
	s.signers(2, "ada", "bob")
	s.sign(SignersPath(s.root), "ada")
	s.open()
	s.write(site, fmt.Sprintf(signed, 2, ""))
	s.sign(site, "bob")
	s.open()
	// bob is thrown out; the list with him, truly signed, comes back.
	with, _ := os.ReadFile(SignersPath(s.root))
	withSig, _ := os.ReadFile(SignersPath(s.root) + ".sig")
	s.signers(3, "ada")
	s.sign(SignersPath(s.root), "ada")
	s.refuse("not trusted") // the file that bob signed must be signed again
	s.sign(site, "ada")
	s.open()
	s.write(SignersPath(s.root), string(with))
	s.write(SignersPath(s.root)+".sig", string(withSig))
	s.refuse("went back from version 3 to 2")
	s.write(SignersPath(s.root), string(list))
	s.refuse("the list of trusted signers was changed")
}

// One of the places that remember is enough, and none can be lost unnoticed.
func TestMemorySurvives(t *testing.T) {
	for i := range memoryPlaces(paths.Root{}) {
		s := newSystem(t)
		site := s.file("site.hcl")
		s.write(site, fmt.Sprintf(signed, 5, ""))
		s.signers(1, "ada")
		s.sign(site, "ada")
		s.open()
		place := memoryPlaces(s.root)[i]
		if err := os.Remove(place); err != nil {
			t.Fatal(err)
		}
		s.write(site, "")
		s.refuse("changed after ada signed it")
		s.write(site, fmt.Sprintf(signed, 5, ""))
		p := s.open()
		if len(p.Notes()) == 0 || !strings.Contains(p.Notes()[0].Text, "was lost") {
			t.Errorf("nobody noticed: %+v", p.Notes())
		}
		if _, err := os.Stat(place); err != nil {
			t.Error(err)
		}
		// An older copy comes back in one place.
		old, _ := os.ReadFile(place)
		s.write(site, fmt.Sprintf(signed, 6, ""))
		s.sign(site, "ada")
		s.open()
		s.write(place, string(old))
		s.write(site, fmt.Sprintf(signed, 5, ""))
		s.sign(site, "ada")
		s.refuse("went back from version 6 to 5")
		s.write(place, "{")
		s.refuse("was damaged")
	}
}

func TestUnsignedVersionsDoNotGoBack(t *testing.T) {
	s := newSystem(t)
	site := s.file("site.hcl")
	s.write(site, "policy { version = 2 }\n")
	s.open()
	s.write(site, "policy { version = 1 }\n")
	s.refuse("went back")
	s.write(site, "policy { version = 2 }\n# edited\n")
	if p := s.open(); len(p.Notes()) != 1 || p.Notes()[0].Text != "the policy file was changed" {
		t.Errorf("%+v", p.Notes())
	}
	if err := os.Remove(site); err != nil {
		t.Fatal(err)
	}
	if p := s.open(); len(p.Notes()) != 1 || p.Notes()[0].Text != "the policy file is gone" {
		t.Errorf("%+v", p.Notes())
	}
}

func TestSealComesBeforePolicy(t *testing.T) {
	s := newSystem(t)
	if err := seal.Seal(s.root, seal.Record{Cause: "test", SealedAt: monday}); err != nil {
		t.Fatal(err)
	}
	p := s.open()
	for _, a := range allActions() {
		want := a != SessionOpen && a != SessionExtend && a != SessionResume && a != ConnectAccept && a != RecordingShare && a != WebServe && !strings.HasPrefix(string(a), "access.")
		if d := p.Decide(a, full()); d.Allowed != want {
			t.Errorf("%s: %+v", a, d)
		}
	}
	if d := p.Decide(PluginLaunch, with(full(), "role", "auth")); d.Allowed {
		t.Error("an auth plugin starts on a sealed system")
	}
	if word, _ := p.RemoteAccess(); word != "permanently_disabled" {
		t.Error(word)
	}
	// Files that allow change nothing, nor does a broken one tell another story.
	s.write(s.file("on.hcl"), `remote_access = "allowed"`)
	if d := s.open().Decide(SessionOpen, full()); d.Allowed || d.Rule.Key != "seal" {
		t.Errorf("%+v", d)
	}
	if e := s.open().Explain(SessionOpen, full()); !e.Fixed || !strings.Contains(e.Change[0], "nothing") {
		t.Errorf("%+v", e)
	}
	for _, clock := range []time.Time{time.Unix(0, 0), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)} { // another clock
		p, err := Open(s.root, clockAt(clock))
		if err != nil || p.Decide(SessionOpen, full()).Allowed {
			t.Errorf("at %v: %v", clock, err)
		}
	}
	os.Remove(seal.Places(s.root)[0])
	if p := s.open(); len(p.Notes()) == 0 {
		t.Error("a removed seal was not noticed")
	}
	if _, err := os.Stat(seal.Places(s.root)[0]); err != nil {
		t.Error("a removed seal was not put back:", err)
	}
}

// REQ G3, G5
func TestGlobalSwitch(t *testing.T) {
	s := newSystem(t)
	s.write(EffectivePath(s.root), fmt.Sprintf(`{"version":1,"switch":{"on":true,"key":"REMOTE_SUPPORT_ENABLE","file":%q,"line":7}}`, s.root.LocalConfig()))
	p := s.open()
	d := p.Decide(SessionClose, full())
	if d.Allowed || d.Rule.Source.Line != 7 || d.Rule.Source.File != s.root.LocalConfig() {
		t.Errorf("%+v", d)
	}
	s.write(s.file("off.hcl"), `remote_access = "locked_off"`)
	p = s.open()
	if p.Decide(SessionOpen, full()).Allowed || !p.Decide(SessionClose, full()).Allowed {
		t.Error("locked off does not win over the switch")
	}
	s.write(EffectivePath(s.root), "x")
	s.refuse("global switch")
}

// Files that anybody may write to are no policy.
func TestWritableFileIsRefused(t *testing.T) {
	s := newSystem(t)
	s.write(s.file("a.hcl"), "")
	if err := os.Chmod(s.file("a.hcl"), 0o666); err != nil {
		t.Fatal(err)
	}
	s.refuse("others than its owner may write")
}

// Signatures are those of OpenSSH, both ways.
func TestAgainstSSHKeygen(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is missing (Debian package openssh-client)")
	}
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		t.Run(kind, func(t *testing.T) {
			s := newSystem(t)
			dir := t.TempDir()
			key := filepath.Join(dir, "key")
			run := func(stdin []byte, args ...string) error {
				cmd := exec.Command(keygen, args...)
				cmd.Stdin = bytes.NewReader(stdin)
				out, err := cmd.CombinedOutput()
				if err != nil {
					return fmt.Errorf("%w: %s", err, out)
				}
				return nil
			}
			if err := run(nil, "-q", "-t", kind, "-b", map[string]string{"rsa": "2048", "ecdsa": "256", "ed25519": "256"}[kind], "-N", "", "-C", "ada", "-f", key); err != nil {
				t.Fatal(err)
			}
			pub, _ := os.ReadFile(key + ".pub")
			s.write(SignersPath(s.root), "ada "+string(pub))
			site := s.file("site.hcl")
			src := fmt.Sprintf(signed, 1, "")
			s.write(site, src)
			if err := run(nil, "-q", "-Y", "sign", "-n", Namespace, "-f", key, site); err != nil {
				t.Fatal(err)
			}
			if p := s.open(); p.Files()[0].Signer != "ada" {
				t.Errorf("%+v", p.Files()[0])
			}
			os.Remove(site + ".sig")
			if err := run(nil, "-q", "-Y", "sign", "-n", "file", "-f", key, site); err != nil {
				t.Fatal(err)
			}
			s.refuse(`made for "file"`)

			// Ours, checked by theirs.
			raw, _ := os.ReadFile(key)
			signer, err := ssh.ParsePrivateKey(raw)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := SignFile(site, signer); err != nil {
				t.Fatal(err)
			}
			verify := []string{"-Y", "verify", "-f", SignersPath(s.root), "-I", "ada", "-n", Namespace, "-s", site + ".sig"}
			if err := run([]byte(src), verify...); err != nil {
				t.Error(err)
			}
			if run([]byte(src+" "), verify...) == nil {
				t.Error("ssh-keygen accepts a changed file")
			}
		})
	}
}

func TestParseSigners(t *testing.T) {
	s := newSystem(t)
	pub := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.key("ada").PublicKey())))
	src := []byte("x")
	sig, err := Sign(src, s.key("ada"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line string
		want string // empty: verifies; else part of the error
	}{
		{"ada " + pub, ""},
		{"ada namespaces=\"file,latchstring-policy\" " + pub + " a comment", ""},
		{"ada namespaces=\"file\" " + pub, "not trusted"},
		{"ada valid-before=\"20260101\" " + pub, "not valid at this time"},
		{"ada valid-before=\"20270101Z\",valid-after=\"202501010000\" " + pub, ""},
		{"ada valid-after=\"20270101\" " + pub, "not valid at this time"},
		{"ada cert-authority " + pub, "not supported"},
		{"ada valid-after=\"soon\" " + pub, "no time"},
		{"* " + pub, "pattern"},
		{pub, "no public key"},
		{"ada", "written"},
		{"", "not trusted"},
	} {
		list, err := ParseSigners([]byte(c.line))
		if err == nil {
			_, err = list.verify(src, sig, monday)
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.line, err, c.want)
		}
	}
}

func TestTrust(t *testing.T) {
	s := newSystem(t)
	trust := func(who string, by ssh.Signer) error { return Trust(s.root, who, s.key(who).PublicKey(), by) }
	for _, bad := range []string{"", "two words", "*"} {
		if err := Trust(s.root, bad, s.key("ada").PublicKey(), nil); err == nil {
			t.Errorf("%q is a name", bad)
		}
	}
	if err := trust("ada", nil); err != nil {
		t.Fatal(err)
	}
	if err := trust("ada", nil); err == nil {
		t.Error("trusted twice")
	}
	if err := trust("bob", nil); err != nil {
		t.Fatal(err)
	}
	site := s.file("site.hcl")
	s.write(site, fmt.Sprintf(signed, 1, ""))
	s.sign(site, "bob")
	if got := s.open().Signers().Names(); len(got) != 2 {
		t.Errorf("%v", got)
	}
	if err := trust("cyd", nil); !errors.Is(err, ErrNeedsSigner) {
		t.Error(err)
	}
	if err := trust("cyd", s.key("cyd")); err == nil {
		t.Error("cyd vouches for herself")
	}
	if got := s.open().Signers().Names(); len(got) != 2 {
		t.Errorf("%v", got)
	}
	if err := trust("cyd", s.key("ada")); err != nil {
		t.Fatal(err)
	}
	if got := s.open().Signers().Names(); len(got) != 3 {
		t.Errorf("%v", got)
	}
}

func TestMustSeal(t *testing.T) {
	s := newSystem(t)
	s.write(s.file("end.hcl"), "reason = \"the end\"\nremote_access = \"permanently_disabled\"\n")
	p := s.open()
	r, ok := p.MustSeal()
	if !ok || !strings.Contains(r.Cause, "end.hcl:2,1: the end") || len(r.Files) != 1 || !r.SealedAt.Equal(monday) {
		t.Fatalf("%t %+v", ok, r)
	}
	if err := seal.Seal(s.root, r); err != nil {
		t.Fatal(err)
	}
	q := s.open()
	if _, ok := q.MustSeal(); ok || q.Hash() == p.Hash() {
		t.Error("sealed, and nothing is different")
	}
	s.write(s.file("broken.hcl"), "x")
	s = newSystem(t)
	s.write(s.file("end.hcl"), "remote_access = \"permanently_disabled\"\nx = 1\n")
	p, _ = Open(s.root)
	if _, ok := p.MustSeal(); ok {
		t.Error("a broken policy seals")
	}
}

func TestReadOnlyWritesNothing(t *testing.T) {
	s := newSystem(t)
	s.write(s.file("a.hcl"), "policy { version = 2 }")
	if _, err := Open(s.root, ReadOnly()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(memoryPlaces(s.root)[0]); err == nil {
		t.Error("something was remembered")
	}
}

// The enrolled relay as a rule of the machine's own.
func TestWithRSS(t *testing.T) {
	s := newSystem(t)
	s.write(s.file("a.hcl"), `network { rss = ["*.example.com", "other.test"] }`)
	p, err := Open(s.root, WithRSS("rss.example.com"))
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Decide(BundleSend, with(full(), "rss", "rss.example.com")); !d.Allowed {
		t.Error(d.Err())
	}
	d := p.Explain(BundleSend, with(full(), "rss", "other.test"))
	if d.Allowed || d.Rule.Source.File != "enrolment" || !d.Fixed {
		t.Errorf("%+v", d)
	}
	if q := s.open(); q.Hash() == p.Hash() {
		t.Error("another policy, the same hash")
	}
	if p, _ := Open(s.root, WithRSS("nonsense:x")); p.Decide(BundleSend, full()).Allowed {
		t.Error("a malformed relay allows all")
	}
}

// Configuration and state come back from a backup, with files that were truly
// signed once.
func TestRestoredBackup(t *testing.T) {
	for _, restore := range [][]string{{"etc"}, {"var"}, {"etc", "var"}} {
		s := newSystem(t)
		site := s.file("site.hcl")
		s.write(site, fmt.Sprintf(signed, 1, ""))
		s.signers(1, "ada")
		s.sign(site, "ada")
		s.open()
		backup := t.TempDir()
		if err := os.CopyFS(backup, os.DirFS(s.root.Dir)); err != nil {
			t.Fatal(err)
		}
		s.write(site, fmt.Sprintf(signed, 2, "remote_access = \"locked_off\""))
		s.sign(site, "ada")
		s.open()
		for _, dir := range restore {
			if err := errors.Join(os.RemoveAll(filepath.Join(s.root.Dir, dir)), os.CopyFS(filepath.Join(s.root.Dir, dir), os.DirFS(filepath.Join(backup, dir)))); err != nil {
				t.Fatal(err)
			}
		}
		if len(restore) == 1 && restore[0] == "var" {
			if s.open().Decide(SessionOpen, full()).Allowed { // the files are still the new ones
				t.Error("allowed")
			}
			continue
		}
		s.refuse("went back from version 2 to 1")
	}
}

// Many load while files change: nothing is remembered that is older than what
// somebody saw, and the two places agree.
func TestConcurrentOpen(t *testing.T) {
	s := newSystem(t)
	site := s.file("site.hcl")
	s.write(site, "policy { version = 1 }")
	const last = 20
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range last {
				p, err := Open(s.root)
				if err != nil {
					t.Error(err)
				}
				p.Decide(SessionOpen, full())
			}
		})
	}
	for v := 2; v <= last; v++ {
		// As an editor does: written beside, renamed into place.
		s.write(site+".new", fmt.Sprintf("policy { version = %d }", v))
		if err := os.Rename(site+".new", site); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	s.open()
	m, err := remember(s.root)
	if err != nil || m.Files["site"].Version != last || m.lost {
		t.Errorf("%v %+v", err, m)
	}
}

// A race between sealing and loading: once sealed, never open again.
func TestSealRace(t *testing.T) {
	s := newSystem(t)
	var sealed atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				before := sealed.Load()
				p, _ := Open(s.root, ReadOnly())
				if before && p.Decide(SessionOpen, full()).Allowed {
					t.Error("allowed after it was sealed")
					return
				}
			}
		})
	}
	for range 3 {
		wg.Go(func() {
			if err := seal.Seal(s.root, seal.Record{Cause: "race"}); err != nil {
				t.Error(err)
			}
			sealed.Store(true)
		})
	}
	wg.Wait()
	if st := seal.Check(s.root); !st.Sealed || len(st.Missing) > 0 || st.Record.Cause != "race" {
		t.Errorf("%+v", st)
	}
}

// REQ J2: what cannot be known is refused, and not called sealed.
func TestUnreadableSeal(t *testing.T) {
	s := newSystem(t)
	if err := os.RemoveAll(s.root.Var()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("var", s.root.Var()); err != nil { // ELOOP, also for root
		t.Fatal(err)
	}
	p, _ := Open(s.root, ReadOnly())
	word, rule := p.RemoteAccess()
	if _, sealed := p.Sealed(); sealed || word != "locked_off" || rule.Key != "seal" {
		t.Errorf("%t %s %+v", sealed, word, rule)
	}
	e := p.Explain(SessionOpen, full())
	if e.Allowed || !strings.Contains(e.Reason, "cannot be known") || !strings.Contains(e.Change[0], "as root") {
		t.Errorf("%+v", e)
	}
}
