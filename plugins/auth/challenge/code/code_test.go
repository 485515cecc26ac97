package code

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func newKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func line(name string, key ssh.PublicKey) string {
	return name + " " + string(ssh.MarshalAuthorizedKey(key))
}

func keys(t testing.TB, lines ...string) *Keys {
	t.Helper()
	k, err := ParseKeys(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var (
	issued = time.Unix(1_800_000_000, 0).UTC()
	grant  = Grant{Engineer: "ada", Case: "C-4711", Longest: 4 * time.Hour, Valid: 30 * time.Minute}
)

func newChallenge() Challenge {
	c := Challenge{Host: HostOf("system-1"), Action: Login, Issued: issued}
	rand.Read(c.Nonce[:])
	return c
}

func respond(t testing.TB, c Challenge, key ssh.Signer) *Response {
	t.Helper()
	r, err := Respond(c, grant, key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRoundTrip(t *testing.T) {
	key, c := newKey(t), newChallenge()
	text := c.Text()
	if len(text) != 65 || len(strings.Fields(text)) != 11 {
		t.Errorf("challenge %q has %d characters", text, len(text))
	}
	back, err := ParseChallenge("> \"" + strings.ToLower(strings.ReplaceAll(text, " ", "-\r\n> ")) + "\"")
	if err != nil || back != c || len(c.Fingerprint()) != 7 {
		t.Fatalf("%+v, %v", back, err)
	}
	answer := respond(t, back, key).Text()
	if len(answer) > 210 {
		t.Errorf("the response has %d characters", len(answer))
	}
	r, err := ParseResponse(strings.NewReplacer("0", "o", "1", "l").Replace(answer))
	if err != nil || r.Grant != grant {
		t.Fatalf("%+v, %v", r, err)
	}
	who, err := keys(t, line("vendor-2026", key.PublicKey())).Verify(c, r, issued, time.Minute)
	if err != nil || who.Name != "vendor-2026" || who.Fingerprint != ssh.FingerprintSHA256(key.PublicKey()) {
		t.Errorf("%+v, %v", who, err)
	}
}

// REQ C6: every way to get in without a right response.
func TestAttacks(t *testing.T) {
	key, stranger, c := newKey(t), newKey(t), newChallenge()
	other := c
	other.Nonce[3] ^= 1
	elsewhere := c
	elsewhere.Host = HostOf("system-2")
	later := c
	later.Issued = later.Issued.Add(time.Second)
	good := respond(t, c, key)
	imposter := *respond(t, c, stranger)
	imposter.key = keyID(key.PublicKey())
	moved := *respond(t, other, key) // says that it answers c
	moved.challenge = c.hash()
	wider, richer, renamed, longer := *good, *good, *good, *good
	wider.Longest *= 10
	richer.Case = "C-9999"
	renamed.Engineer = "eve"
	longer.Valid *= 10
	trust := line("v", key.PublicKey())
	dated := func(o string) string { return "v " + o + " " + line("", key.PublicKey()) }
	revoked := line("@revoked", key.PublicKey())
	for _, tt := range []struct {
		name  string
		r     *Response
		keys  []string
		after time.Duration
		want  error
	}{
		{"right", good, []string{trust}, 29*time.Minute + 59*time.Second, nil},
		{"replay for the next challenge", respond(t, other, key), []string{trust}, 0, ErrOther},
		{"another host", respond(t, elsewhere, key), []string{trust}, 0, ErrOther},
		{"another second", respond(t, later, key), []string{trust}, 0, ErrOther},
		{"expired", good, []string{trust}, 30 * time.Minute, ErrExpired},
		{"clock set back", good, []string{trust}, -time.Second, ErrExpired},
		{"unknown key", respond(t, c, stranger), []string{trust}, 0, ErrUnknown},
		{"under another's key id", &imposter, []string{trust}, 0, ErrForged},
		{"challenge swapped", &moved, []string{trust}, 0, ErrForged},
		{"longer session", &wider, []string{trust}, 0, ErrForged},
		{"other case", &richer, []string{trust}, 0, ErrForged},
		{"other engineer", &renamed, []string{trust}, 0, ErrForged},
		{"longer valid", &longer, []string{trust}, time.Hour, ErrForged},
		{"revoked", good, []string{trust, revoked}, 0, ErrRevoked},
		{"revoked, listed again after", good, []string{revoked, trust, line("w", key.PublicKey())}, 0, ErrRevoked},
		{"only revoked", good, []string{revoked}, 0, ErrUnknown},
		{"old key", good, []string{dated(`valid-before="20270101Z"`)}, 0, ErrKeyTime},
		{"key of the future", good, []string{dated(`valid-after="20280101Z"`)}, 0, ErrKeyTime},
		{"key of this year", good, []string{dated(`valid-after="20270101Z",valid-before="20280101Z"`)}, 0, nil},
		{"old line, new line", good, []string{dated(`valid-before="20270101Z"`), trust}, 0, nil},
	} {
		r, err := ParseResponse(tt.r.Text()) // as it would come
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if _, err := keys(t, tt.keys...).Verify(c, r, issued, tt.after); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// No bit of a response can be changed, though its check is made anew.
func TestBitFlips(t *testing.T) {
	key, c := newKey(t), newChallenge()
	trust := keys(t, line("v", key.PublicKey()))
	good := respond(t, c, key).Text()
	b, err := decode("response", good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(b) * 8 {
		bad := bytes.Clone(b)
		bad[i/8] ^= 1 << (i % 8)
		r, err := ParseResponse(encode("response", bad))
		if err != nil {
			if errors.As(err, new(*Typo)) {
				t.Errorf("bit %d passes for a typing mistake: %v", i, err)
			}
			continue
		}
		if _, err := trust.Verify(c, r, issued, 0); err == nil {
			t.Errorf("bit %d of the response can be changed", i)
		}
	}
}

// Every wrong, missing, doubled or swapped character is a typing mistake.
func TestTypos(t *testing.T) {
	c := newChallenge()
	text := strings.ReplaceAll(respond(t, c, newKey(t)).Text(), " ", "")
	missed := 0
	for i := range text {
		variants := []string{text[:i] + text[i+1:], text[:i] + text[i:i+1] + text[i:]}
		if i > 0 && text[i] != text[i-1] {
			variants = append(variants, text[:i-1]+text[i:i+1]+text[i-1:i]+text[i+1:])
		}
		for _, ch := range "0Z7" {
			if byte(ch) != text[i] {
				variants = append(variants, text[:i]+string(ch)+text[i+1:])
			}
		}
		for _, v := range variants {
			if _, err := ParseResponse(v); !errors.As(err, new(*Typo)) {
				missed++
			}
		}
	}
	if missed > 0 {
		t.Errorf("%d mistakes were not noticed", missed)
	}
	for in, want := range map[string]string{
		c.Text():                  "this is a challenge",
		"ABC?DE":                  `'?' after "ABC"`,
		"U":                       "not used",
		"":                        "too short",
		strings.Repeat("0", 5000): "too long",
	} {
		if _, err := ParseResponse(in); !errors.As(err, new(*Typo)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.10q: %v", in, err)
		}
	}
	if _, err := ParseChallenge(text); !errors.As(err, new(*Typo)) || !strings.Contains(err.Error(), "this is a response") {
		t.Error(err)
	}
}

func TestGuesses(t *testing.T) {
	key, c := newKey(t), newChallenge()
	trust := keys(t, line("v", key.PublicKey()))
	r := *respond(t, c, key)
	for range 10_000 {
		r.signature = make([]byte, 64)
		rand.Read(r.signature)
		if _, err := trust.Verify(c, &r, issued, 0); !errors.Is(err, ErrForged) {
			t.Fatal(err)
		}
	}
}

func TestGrants(t *testing.T) {
	for _, g := range []Grant{
		{Valid: time.Minute}, {Engineer: "a"}, {Engineer: "a\nb", Valid: time.Minute}, {Engineer: "é", Valid: time.Minute},
		{Engineer: strings.Repeat("a", 41), Valid: time.Minute}, {Engineer: "a", Case: strings.Repeat("a", 41), Valid: time.Minute},
		{Engineer: "a", Valid: time.Second}, {Engineer: "a", Valid: -time.Minute}, {Engineer: "a", Valid: time.Minute, Longest: 70_000 * time.Minute},
	} {
		if _, err := Respond(newChallenge(), g, newKey(t)); err == nil {
			t.Errorf("%+v was signed", g)
		}
	}
}

func TestParseKeys(t *testing.T) {
	good := line("v", newKey(t).PublicKey())
	for _, text := range []string{
		"", "# nothing", "v", "ssh-ed25519 AAAA", good + "@other " + strings.TrimPrefix(good, "v "), "v AAAA",
		"v valid-after=\"soon\" " + good[2:], "v from=\"*\" " + good[2:],
		"v ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA==",
	} {
		if _, err := ParseKeys(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// securitySigner signs as a security key does: over hashes, flags and a counter.
type securitySigner struct {
	priv  ed25519.PrivateKey
	flags byte
}

const application = "ssh:"

func (s securitySigner) PublicKey() ssh.PublicKey {
	blob := ssh.Marshal(struct {
		Name        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, s.priv.Public().(ed25519.PublicKey), application})
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		panic(err)
	}
	return key
}

func (s securitySigner) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	app, msg := sha256.Sum256([]byte(application)), sha256.Sum256(data)
	rest := binary.BigEndian.AppendUint32([]byte{s.flags}, 7)
	signed := append(append(append([]byte(nil), app[:]...), rest...), msg[:]...)
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(s.priv, signed), Rest: rest}, nil
}

func TestSecurityKey(t *testing.T) {
	_, priv, _ := ed25519.GenerateKey(rand.Reader)
	c := newChallenge()
	for flags, want := range map[byte]error{1: nil, 0: ErrForged} {
		key := securitySigner{priv, flags}
		r, err := ParseResponse(respond(t, c, key).Text())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys(t, line("token", key.PublicKey())).Verify(c, r, issued, 0); !errors.Is(err, want) {
			t.Errorf("flags %d: %v", flags, err)
		}
	}
}

func FuzzParseChallenge(f *testing.F) {
	f.Add(newChallenge().Text())
	f.Add("00000 00000")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseChallenge(s)
		if err != nil {
			return
		}
		if again, err := ParseChallenge(c.Text()); err != nil || again != c {
			t.Errorf("%q: %+v, %v", s, again, err)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	key, c := newKey(f), newChallenge()
	f.Add(respond(f, c, key).Text())
	b := respond(f, c, key).unsigned()
	f.Add(encode("response", append(b, make([]byte, 70)...)))
	trust := keys(f, line("v", key.PublicKey()))
	good := respond(f, c, key).Text()
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseResponse(s)
		if err != nil {
			return
		}
		again, err := ParseResponse(r.Text())
		if err != nil || again.Text() != r.Text() {
			t.Errorf("%q: %v", s, err)
		}
		if _, err := trust.Verify(c, r, issued, 0); err == nil && r.Text() != good {
			t.Errorf("%q is accepted", s)
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	f.Add(line("v", newKey(f).PublicKey()))
	f.Add("@revoked x\nv valid-after=\"2\" ssh-ed25519 A")
	f.Fuzz(func(t *testing.T, s string) { ParseKeys(s) })
}

func ExampleChallenge_Text() {
	c := Challenge{Host: HostOf("system-1"), Action: Login, Issued: issued}
	fmt.Println(c.Text())
	fmt.Println(c.Fingerprint())
	// Output:
	// 040TY G2RGF J87PR K0000 00000 00000 00000 00000 0006P JEJ00 53PFH
	// N30-MAZ
}
