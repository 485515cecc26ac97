package gate

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
)

func rules(t *testing.T, g *Gate, text string) []string {
	t.Helper()
	hs, err := g.Check(context.Background(), strings.NewReader(text), "f")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, h := range hs {
		out = append(out, h.Rule)
	}
	return out
}

const pemBody = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"

func TestFinds(t *testing.T) {
	secret := `Tr0ub4dor&3"x`
	g := New(Rules{Secrets: [][]byte{[]byte(secret), []byte("Zq7!xw"), []byte("abc"), []byte("swordfishes")}})
	for _, c := range []struct{ text, rule string }{
		{"nothing=" + secret, ruleSecret},
		{"u=" + url.QueryEscape(secret) + "&x", ruleSecret},
		{`{"a":"Tr0ub4dor\u00263\"x"}`, ruleSecret},
		{"b=" + base64.StdEncoding.EncodeToString([]byte(secret+" and more")), ruleSecret},
		{"b=" + base64.StdEncoding.EncodeToString([]byte("u"+secret+"abc")), ruleSecret},
		{"b=" + base64.StdEncoding.EncodeToString([]byte("us"+secret+"a")), ruleSecret},
		{"h=" + hex.EncodeToString([]byte(secret)), ruleSecret},
		{"(Zq7!xw)", ruleSecret},
		{"pw:swordfishes.", ruleSecret},
		{"-----BEGIN RSA PRIVATE KEY-----\n" + pemBody, "private-key"},
		{`"-----BEGIN PRIVATE KEY-----\n` + pemBody, "private-key"},
		{"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AABB\n\n" + pemBody, "private-key"},
		{"Private-Lines: 14\r\n" + pemBody, "putty-key"},
		{"-----BEGIN OpenVPN Static key V1-----\n0123456789abcdef0123456789abcdef", "openvpn-key"},
		{"x ghp_0123456789abcdefghijABCDEFGHIJ012345 y", "token-github"},
		{"id AKIAQ3EGRTB5ZXWV7YHK", "token-aws-key"},
		{"t=SG.0123456789abcdefghijkl.0123456789abcdefghijABCDEFGHIJ0123456789abc", "token-sendgrid"},
		{"root:$6$salt$" + strings.Repeat("aB3./x", 15)[:86] + ":1:", "token-crypt"},
		{"password = hJ5lN7pR9tV1xZ3b", ruleKey},
		{`"api_key": "hJ5lN7pR9tV1xZ3b",`, ruleKey},
		{"DB_PASSWORD=hJ5lN7pR9tV1xZ3b", ruleKey},
		{"p\x00a\x00s\x00s\x00w\x00o\x00r\x00d\x00=\x00h\x00J\x005\x00l\x00N\x007\x00p\x00R\x009\x00t\x00V\x001\x00\n\x00", ruleKey},
	} {
		if got := rules(t, g, c.text); len(got) != 1 || got[0] != c.rule {
			t.Errorf("%q: %v, want %s", c.text, got, c.rule)
		}
	}
}

func TestSilent(t *testing.T) {
	g := New(Rules{Secrets: [][]byte{[]byte("Zq7!xw"), []byte("hunter2-prod"), []byte("abcdefghij")}})
	for _, text := range []string{
		"",
		"password = REDACTED_password_3",
		"password: ${DB_PASSWORD}",
		"password=$(cat /run/secrets/db)",
		"PasswordAuthentication no",
		"password_policy: strict",
		"token: invalid or expired",
		"secret: tls-cert-2024-prod",
		"secret: my-app-secret",
		"Failed password for root from 10.0.0.1",
		"api_key = os.environ['API_KEY']",
		"private_key: /etc/ssl/private/web-17.key",
		"-----BEGIN CERTIFICATE-----\n" + pemBody,
		"-----BEGIN RSA PRIVATE KEY-----\nREDACTED\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----REDACTED_key_1-----END PRIVATE KEY-----",
		"ghp_REDACTED ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"aZq7!xwb",
		"the alphabet is abcdefghijklmnopqrstuvwxyz",
		"my_abcdefghij and abcdefghijs",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	} {
		if got := rules(t, g, text); got != nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// A secret is found wherever the chunks are cut, and however the reader reads.
func TestAcrossChunks(t *testing.T) {
	secret := "N0b0dy-Kn0ws-Th1s"
	g := New(Rules{Secrets: [][]byte{[]byte(secret)}})
	step := chunkSize + g.overlap
	for _, at := range []int{0, 1, chunkSize - 9, chunkSize, step - 17, step - 9, step - 1, step, 2*step - 20, 3*chunkSize + 5} {
		b := bytes.Repeat([]byte("plain words of a log "), 60000)
		copy(b[at:], secret)
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(b), "halves": iotest.HalfReader(bytes.NewReader(b)), "data with error": iotest.DataErrReader(bytes.NewReader(b)),
		} {
			hs, err := g.Check(context.Background(), r, "f")
			if err != nil || len(hs) != 1 || hs[0] != (Hit{"f", ruleSecret}) {
				t.Errorf("secret at %d, %s: %v, %v", at, name, hs, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	g := New(Rules{})
	bad := errors.New("disk gone")
	if _, err := g.Check(context.Background(), iotest.ErrReader(bad), "a.log"); !errors.Is(err, bad) || !strings.Contains(err.Error(), "a.log") {
		t.Errorf("read error: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.Check(ctx, strings.NewReader("x"), "a.log"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestPrintsNoSecret(t *testing.T) {
	g := New(Rules{Secrets: [][]byte{[]byte("N0b0dy-Kn0ws")}})
	if s := fmt.Sprintf("%v %+v %#v %s", g, g, g, g); strings.Contains(s, "N0b0dy") {
		t.Error(s)
	}
}

// Any secret of printable bytes is found in any of its forms.
func FuzzForms(f *testing.F) {
	f.Add("hunter2-prod", "user:", "@host")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if len(secret) < minForm || strings.ContainsAny(secret, "\x00") || strings.ContainsAny(before+after, "\x00") {
			return
		}
		if plainWord(secret) && (before != "" && inWord(before[len(before)-1]) || after != "" && inWord(after[0])) {
			before, after = before+" ", " "+after // a plain word counts where it is one
		}
		g := New(Rules{Secrets: [][]byte{[]byte(secret)}})
		for _, text := range []string{
			before + secret + after,
			base64.StdEncoding.EncodeToString([]byte(before + secret + after)),
			hex.EncodeToString([]byte(before + secret + after)),
			url.QueryEscape(before + secret + after),
		} {
			ok := false
			for _, r := range rules(t, g, text) {
				ok = ok || r == ruleSecret
			}
			if !ok {
				t.Errorf("%q not found in %q", secret, text)
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	var sb strings.Builder
	r := rand.New(rand.NewPCG(1, 2))
	for sb.Len() < 4<<20 {
		fmt.Fprintf(&sb, "Jan 12 06:25:%02d web-17 sshd[%d]: Failed password for invalid user from 10.20.%d.%d port %d ssh2\n", r.IntN(60), r.IntN(9999), r.IntN(256), r.IntN(256), r.IntN(65536))
		fmt.Fprintf(&sb, `{"ts":"2026-01-12T06:25:44.%03dZ","level":"info","msg":"token refreshed","path":"/api/v1/orders/%d","secret":"REDACTED_secret_1"}`+"\n", r.IntN(1000), r.IntN(99999))
	}
	text := []byte(sb.String())
	var secrets [][]byte
	for i := range 200 {
		secrets = append(secrets, fmt.Appendf(nil, "s3cret-%d-%d", i, r.IntN(1<<30)))
	}
	g := New(Rules{Secrets: secrets})
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if hs, err := g.Check(context.Background(), bytes.NewReader(text), "f"); err != nil || len(hs) > 0 {
			b.Fatal(hs, err)
		}
	}
}
