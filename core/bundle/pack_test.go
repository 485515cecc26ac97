package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/sanitize"
)

func TestEveryFormatHoldsAndIsReproducible(t *testing.T) {
	for _, f := range []Format{TarZstd, TarGz, Zip} {
		t.Run(string(f), func(t *testing.T) {
			var sums []string
			for range 2 {
				o := testOptions(t)
				o.Format = f
				path := seal(t, pack(t, o, logsAndConfig()...))
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				sum := sha256.Sum256(data)
				sums = append(sums, hex.EncodeToString(sum[:]))
				b := openBundle(t, path, OpenOptions{})
				if _, err := b.Verify(t.Context(), VerifyOptions{Signer: newSigner(t).PublicKey(), Engine: newEngine()}); err != nil {
					t.Error(err)
				}
				if b.Format != f || b.Encrypted {
					t.Errorf("format %s, encrypted %v", b.Format, b.Encrypted)
				}
			}
			if sums[0] != sums[1] {
				t.Error("the same input gave other bytes")
			}
		})
	}
}

// REQ H8: anybody with OpenSSH can check the signature.
func TestSignatureIsAcceptedByOpenSSH(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("needs ssh-keygen (Debian: openssh-client)")
	}
	b := openBundle(t, seal(t, pack(t, testOptions(t), logsAndConfig()...)), OpenOptions{})
	dir := filepath.Join(t.TempDir(), "out")
	if err := b.Unpack(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	signers := filepath.Join(t.TempDir(), "signers")
	line := "system " + string(ssh.MarshalAuthorizedKey(newSigner(t).PublicKey()))
	if err := os.WriteFile(signers, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(manifest []byte) error {
		cmd := exec.Command(keygen, "-Y", "verify", "-f", signers, "-I", "system", "-n", SignatureNamespace, "-s", filepath.Join(dir, SignatureName))
		cmd.Stdin = bytes.NewReader(manifest)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		return err
	}
	if err := verify(b.Recorded()); err != nil {
		t.Errorf("refused: %v", err)
	}
	if err := verify(bytes.Replace(b.Recorded(), []byte("app.log"), []byte("app.gol"), 1)); err == nil {
		t.Error("a changed manifest was accepted")
	}
}

func TestLateHitIsRewritten(t *testing.T) {
	o := testOptions(t)
	o.Engine.(*fakeEngine).blind["logs/app.log"] = 1
	p := pack(t, o, &list{name: "logs", items: []listed{{name: "app.log", text: "password=late\n"}, {name: "b.log", text: "x"}}})
	got := contents(t, openBundle(t, seal(t, p), OpenOptions{}))
	if got["logs/app.log"] != "password=REDACTED_password_1\n" {
		t.Errorf("got %q", got["logs/app.log"])
	}
}

// A sanitizer that does not hide what its own gate finds must not get a
// bundle out, and the user must be told where it stands.
func TestHitThatStaysFailsClosed(t *testing.T) {
	o := testOptions(t)
	o.Engine.(*fakeEngine).blind["logs/app.log"] = 1 + sanitize.Rewrites
	d, err := Collect(t.Context(), []Collector{&list{name: "logs", items: []listed{{name: "app.log", text: "password=late\n"}}}}, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Pack(t.Context())
	var leak *LeakError
	if !errors.As(err, &leak) || exitCode(err) != 4 || !strings.Contains(err.Error(), "logs/app.log (rule password)") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "late") {
		t.Errorf("the error gives the secret away: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	wantEmptySpool(t, o)
}

// Sources and reasons are bytes that leave, too.
func TestFreeTextOfTheManifestIsSanitized(t *testing.T) {
	o := testOptions(t)
	o.Record.Include = []string{"/x?password=abc"}
	p := pack(t, o,
		&list{name: "a", items: []listed{{name: "cmd", text: "1"}, {name: "gone", state: Absent, outcome: Outcome{Reason: "run x\npassword=topsecret: not found"}}}},
		&list{name: "b", items: []listed{{name: "y", text: "1"}}, err: errors.New("password=othersecret")})
	data, err := os.ReadFile(seal(t, p))
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenReaderAt("b", bytes.NewReader(data), int64(len(data)), OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"topsecret", "othersecret", "abc"} {
		if bytes.Contains(b.Recorded(), []byte(s)) {
			t.Errorf("the manifest holds %s", s)
		}
	}
	// The list that the user gave is not changed under his hands.
	if o.Record.Include[0] != "/x?password=abc" {
		t.Errorf("the caller's list became %q", o.Record.Include[0])
	}
}

// The library below swallows errors; the read-back must see them.
func TestReadBackSeesADamagedArchive(t *testing.T) {
	for _, f := range []Format{TarZstd, TarGz, Zip} {
		t.Run(string(f), func(t *testing.T) {
			o := testOptions(t)
			o.Format = f
			d, err := Collect(t.Context(), logsAndConfig(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			p, err := d.packOnce(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.readBack(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			st, err := os.Stat(p.disk)
			if err != nil {
				t.Fatal(err)
			}
			for _, cut := range []int64{1, 10, 600, st.Size() / 2} {
				if err := os.Truncate(p.disk, st.Size()-cut); err != nil {
					t.Fatal(err)
				}
				if _, err := d.readBack(t.Context(), p); err == nil {
					t.Errorf("an archive that lacks %d bytes passed", cut)
				}
			}
		})
	}
}

func TestFileThatShrinksInTheSpoolIsSeen(t *testing.T) {
	for _, f := range []Format{TarZstd, TarGz, Zip} {
		o := testOptions(t)
		o.Format = f
		d, err := Collect(t.Context(), logsAndConfig(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := os.Truncate(d.files[len(d.files)-1].disk, 3); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Pack(t.Context()); err == nil {
			t.Errorf("%s: a file that shrank was packed", f)
		}
	}
}

func TestSealed(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	p := pack(t, testOptions(t), logsAndConfig()...)
	dir := t.TempDir()
	path := filepath.Join(dir, p.FileName(true))
	if got := filepath.Base(path); got != "latchstring-h-1-20261122T143000Z.tar.zst.age" {
		t.Errorf("name %s", got)
	}
	s, err := p.Seal(t.Context(), path, id.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if s.SHA256 != hex.EncodeToString(sum[:]) || s.Size != int64(len(data)) || !s.Encrypted {
		t.Errorf("sealed: %+v", s)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
	if _, err := p.Seal(t.Context(), path, id.Recipient()); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("overwrote: %v", err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("left beside the bundle: %v", names)
	}
	var enc *EncryptedError
	if _, err := Open(path, OpenOptions{}); !errors.As(err, &enc) {
		t.Errorf("opened without a key: %v", err)
	}
	other, _ := age.GenerateX25519Identity()
	if _, err := Open(path, OpenOptions{Identities: []age.Identity{other}}); !errors.As(err, &enc) {
		t.Errorf("opened with another key: %v", err)
	}
	b := openBundle(t, path, OpenOptions{Identities: []age.Identity{id}})
	if v, err := b.Verify(t.Context(), VerifyOptions{}); err != nil || v.Files != 2 || !b.Encrypted {
		t.Errorf("verify: %+v, %v", v, err)
	}
	if _, err := p.Seal(t.Context(), filepath.Join(dir, "no", "such")); err == nil {
		t.Error("sealed into a folder that is not there")
	}
}

func TestNothingCollectedIsNoBundle(t *testing.T) {
	o := testOptions(t)
	d, err := Collect(t.Context(), nil, o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Pack(t.Context()); err == nil {
		t.Error("made an empty bundle")
	}
}
