package sweep

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
)

const secret = `pA"s/s w<0>r&d'\$7`

func matcherFor(t testing.TB, secrets ...string) *Matcher {
	t.Helper()
	var set Set
	for i, s := range secrets {
		if ok, err := set.Add([]byte(s), i); !ok || err != nil {
			t.Fatalf("Add(secret %d) = %v, %v", i, ok, err)
		}
	}
	return set.Matcher()
}

func TestFormsOfPrograms(t *testing.T) {
	m := matcherFor(t, secret)
	js, _ := json.Marshal(map[string]string{"x": secret})
	js2, _ := json.Marshal(string(js))
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	e.Encode(secret)
	var x bytes.Buffer
	xml.EscapeText(&x, []byte(secret))
	cases := map[string]string{
		"raw":         "before " + secret + " after",
		"json":        string(js),
		"json twice":  string(js2),
		"json plain":  plain.String(),
		"json slash":  strings.ReplaceAll(plain.String(), "/", `\/`),
		"query":       "https://h/?p=" + url.QueryEscape(secret) + "&x=1",
		"path":        "https://h/" + url.PathEscape(secret),
		"userinfo":    (&url.URL{Scheme: "https", Host: "h", User: url.UserPassword("u", secret)}).String(),
		"query lower": strings.ToLower("https://h/?p=") + lowerEscapes(url.QueryEscape(secret)),
		"xml":         "<p>" + x.String() + "</p>",
		"shell":       `'` + strings.ReplaceAll(secret, `'`, `'\''`) + `'`,
		"hex":         hex.EncodeToString([]byte(secret)),
		"utf-16":      string(utf16LE("a " + secret + " b")),
		"powershell":  base64.StdEncoding.EncodeToString(utf16LE("$p='" + secret + "'")),
		"HEX":         strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for shift := range 7 {
		text := []byte(strings.Repeat("u", shift) + secret + ":tail")
		cases[fmt.Sprintf("base64 at %d", shift)] = base64.StdEncoding.EncodeToString(text)
		cases[fmt.Sprintf("base64 of utf-16 at %d", shift)] = base64.StdEncoding.EncodeToString(utf16LE(string(text)))
		cases[fmt.Sprintf("base64 url at %d", shift)] = base64.RawURLEncoding.EncodeToString(text)
	}
	for name, text := range cases {
		for pad := range 11 { // every alignment to the stride
			if !m.Contains([]byte(strings.Repeat(".", pad) + text)) {
				t.Errorf("%s behind %d bytes: not found", name, pad)
			}
		}
	}
}

func lowerEscapes(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '%' {
			copy(b[i+1:], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// REQ: equality with a slow oracle.
func TestEqualsOracle(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := "abcXYZ019-_%/"
	for round := range 200 {
		var secrets []string
		for range 1 + rng.IntN(8) {
			s := make([]byte, MinSecret+rng.IntN(12))
			for i := range s {
				s[i] = alphabet[rng.IntN(len(alphabet))]
			}
			if Worth(s) {
				secrets = append(secrets, string(s))
			}
		}
		if len(secrets) == 0 {
			continue
		}
		m := matcherFor(t, secrets...)
		text := make([]byte, 200)
		for i := range text {
			text[i] = alphabet[rng.IntN(len(alphabet))]
		}
		for range 3 {
			s := secrets[rng.IntN(len(secrets))]
			copy(text[rng.IntN(len(text)):], s)
		}
		got := make([]bool, len(text))
		for _, f := range m.Append(nil, text) {
			for i := f.Start; i < f.End; i++ {
				got[i] = true
			}
		}
		want := make([]bool, len(text))
		for _, p := range m.patterns {
			for i := 0; i+len(p.text) <= len(text); i++ {
				if string(text[i:i+len(p.text)]) != p.text || p.word && !(boundary(text, i) && boundary(text, i+len(p.text))) {
					continue
				}
				for k := range len(p.text) {
					want[i+k] = true
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("round %d: %q in %q\n got %v\nwant %v", round, secrets, text, got, want)
		}
	}
}

func TestWorth(t *testing.T) {
	for _, v := range []string{
		"hunter22x!", "s3cr3tPa55", "f9a8b7c6-d5e4-4f3a-b2c1-d0e9f8a7b6c5", "AKIAIOSFODNN7EXAMPLE",
		"wJalrXUtnFEMI/K7MDENG", "xk7Qz1", "correcthorsebatterystaple", "jdbcPw99", "Tr0ub4dor&3", "928374650192837", "qzxkvwpj",
	} {
		if !Worth([]byte(v)) {
			t.Errorf("%q is not swept for", v)
		}
	}
	for _, v := range []string{
		"", "true", "admin", "password", "Password1", "admin123", "changeit", "12345678", "1700000000", "2024-03-04", "10.20.30.40",
		"********", "xxxxxxxxxxxx", "/etc/ssl/private/key.pem", "${DB_PASSWORD}", "<password>", "{{ secret }}", "REDACTED_password_3",
		"postgres", "my_database", "spring-boot", "localhost", "null", "abc12", "enabled", "development", "kubernetes",
	} {
		if Worth([]byte(v)) {
			t.Errorf("%q is swept for", v)
		}
	}
}

func TestShortOnlyAtWordBoundaries(t *testing.T) {
	m := matcherFor(t, "xk7Qz1")
	for text, want := range map[string]bool{
		"pw=xk7Qz1":         true,
		"pw=xk7Qz1;":        true,
		"xk7Qz1":            true,
		"axk7Qz1":           false,
		"xk7Qz1b":           false,
		"h/xk7Qz1/x":        true,
		"  'xk7Qz1'":        true,
		"eGs3UXox":          true, // base64
		"786b3751 7a31":     false,
		"...786b37517a31 x": true, // hex
	} {
		if got := m.Contains([]byte(text)); got != want {
			t.Errorf("Contains(%q) = %v", text, got)
		}
	}
}

func TestLinesOfAKey(t *testing.T) {
	line1, line2 := strings.Repeat("MIIEvQIBADANBgkq", 4), strings.Repeat("hkiG9w0BAQEFAASC", 4)
	m := matcherFor(t, "-----BEGIN PRIVATE KEY-----\n"+line1+"\n"+line2+"\n-----END PRIVATE KEY-----\n")
	if got := len(m.Append(nil, []byte("key: "+line1+`\n`+line2+`\r\n`))); got != 2 {
		t.Errorf("found %d lines", got)
	}
	if m.Contains([]byte("-----BEGIN PRIVATE KEY-----")) {
		t.Error("the armour is swept for")
	}
}

func TestLongSecretInPieces(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	long := make([]byte, 10000)
	for i := range long {
		long[i] = "0123456789abcdefghijklmnopqrstuvwxyz!\"<"[rng.IntN(39)]
	}
	m := matcherFor(t, string(long))
	if m.MaxLen() > 2304 {
		t.Errorf("MaxLen = %d", m.MaxLen())
	}
	text := append([]byte("x"), long...)
	hidden := 0
	for _, f := range m.Append(nil, text) {
		hidden += f.End - f.Start
	}
	if hidden != len(long) {
		t.Errorf("%d of %d bytes found", hidden, len(long))
	}
}

func TestOverlapsJoin(t *testing.T) {
	m := matcherFor(t, "abcd-1234-EFGH", "EFGH-5678-ijkl", "1234-EFGH")
	got := m.Append(nil, []byte("..abcd-1234-EFGH-5678-ijkl.."))
	if len(got) != 1 || got[0].Start != 2 || got[0].End != 26 {
		t.Errorf("got %+v", got)
	}
}

func TestStreamEverySplit(t *testing.T) {
	m := matcherFor(t, "k7Qz1x-w9", "xk7Qz1")
	text := "a k7Qz1x-w9 b xk7Qz1 c k7Qz1x-w9k7Qz1x-w9 yxk7Qz1 k7Qz1x-w"
	text = strings.Repeat("z", streamBuffer-20) + text + strings.Repeat("y", 300) + text
	want := 0
	for range m.Append(nil, []byte(text)) {
		want++
	}
	for shift := range 80 {
		body := strings.Repeat(".", shift) + " " + text
		n := 0
		var prev int64 = -1
		r := iotest.HalfReader(strings.NewReader(body))
		if err := m.Stream(r, nil, func(start, end int64, f Match) error {
			n++
			if start < prev {
				t.Fatalf("shift %d: match at %d after %d", shift, start, prev)
			}
			prev = end
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if n != want {
			t.Fatalf("shift %d: %d matches, want %d", shift, n, want)
		}
	}
	stop := errors.New("stop")
	if err := m.Stream(strings.NewReader(text), nil, func(int64, int64, Match) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of fn lost: %v", err)
	}
}

func TestSnapshotsAreFrozen(t *testing.T) {
	var set Set
	set.Add([]byte("first-S3cret"), 0)
	one := set.Matcher()
	if set.Matcher() != one {
		t.Error("an unchanged set was built again")
	}
	done := make(chan bool)
	go func() {
		for i := range 200 {
			set.Add(fmt.Appendf(nil, "secret-%d-Qx7", i*7919), i)
			set.Matcher()
		}
		done <- true
	}()
	for range 200 {
		if !one.Contains([]byte("the first-S3cret again")) {
			t.Fatal("lost")
		}
	}
	<-done
	if one.Contains([]byte("secret-7919-Qx7")) || !set.Matcher().Contains([]byte("secret-7919-Qx7")) {
		t.Error("snapshot changed, or new one does not know")
	}
}

func TestFullIsAnError(t *testing.T) {
	var set Set
	var err error
	for i := 0; i < MaxSecrets+1 && err == nil; i++ {
		_, err = set.Add(fmt.Appendf(nil, "Zq%dx%dw", i*7919, i), i)
	}
	if !errors.Is(err, ErrFull) {
		t.Errorf("err = %v", err)
	}
}

// REQ: secrets never in logs.
func TestNothingPrints(t *testing.T) {
	var set Set
	set.Add([]byte("hunter2hunter2!"), 1)
	for _, s := range []string{
		fmt.Sprint(&set), fmt.Sprintf("%+v %#v", &set, &set), fmt.Sprint(set.Matcher()), fmt.Sprintf("%+v %#v", set.Matcher(), set.Matcher()),
	} {
		if strings.Contains(s, "hunter2") {
			t.Errorf("printed: %s", s)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	m := matcherFor(t, "k7Qz1x-w9", "xk7Qz1")
	text := []byte(strings.Repeat("some text without, then k7Qz1x-w9 and xk7Qz1. ", 100))
	dst := make([]Match, 0, 1000)
	if n := testing.AllocsPerRun(10, func() { dst = m.Append(dst[:0], text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte(secret), []byte("x "+secret+" y"))
	f.Fuzz(func(t *testing.T, s, text []byte) {
		var set Set
		if ok, err := set.Add(s, 0); err != nil || !ok {
			return
		}
		m := set.Matcher()
		planted := append(append(bytes.Clone(text), ' '), s...)
		planted = append(append(planted, ' '), text...)
		hidden := make([]bool, len(planted))
		for _, f := range m.Append(nil, planted) {
			for i := f.Start; i < f.End; i++ {
				hidden[i] = true
			}
		}
		at := len(text) + 1
		for piece := range pieces(s) {
			i := bytes.Index(s, piece)
			for k := range piece {
				if !hidden[at+i+k] {
					t.Fatalf("%q in %q: byte %d shows", s, planted, i+k)
				}
			}
		}
	})
}

func benchText(n int) []byte {
	rng := rand.New(rand.NewPCG(5, 6))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "2024-03-%02d 12:%02d:%02d,%03d INFO [worker-%d] org.example.Service: request %x from 10.%d.%d.%d took %d ms\n",
			rng.IntN(28), rng.IntN(60), rng.IntN(60), rng.IntN(1000), rng.IntN(32), rng.Uint64(), rng.IntN(256), rng.IntN(256), rng.IntN(256), rng.IntN(5000))
	}
	return b.Bytes()[:n]
}

func benchSecrets(n int) []string {
	rng := rand.New(rand.NewPCG(7, 8))
	var out []string
	for len(out) < n {
		s := make([]byte, 10+rng.IntN(20))
		for i := range s {
			s[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!/+-_"[rng.IntN(67)]
		}
		if Worth(s) {
			out = append(out, string(s))
		}
	}
	return out
}

func BenchmarkSweep(b *testing.B) {
	text := benchText(4 << 20)
	for _, n := range []int{6, 60, 600, 6000} {
		m := matcherFor(b, benchSecrets(n)...)
		b.Run(fmt.Sprintf("forms=%d", m.Forms()), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var dst []Match
			for b.Loop() {
				dst = m.Append(dst[:0], text)
			}
		})
	}
	var pairs []string
	for _, s := range benchSecrets(60) {
		for _, f := range spellings([]byte(s)) {
			pairs = append(pairs, f.text, "REDACTED")
		}
	}
	r := strings.NewReplacer(pairs...)
	b.Run(fmt.Sprintf("strings.Replacer/forms=%d", len(pairs)/2), func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		s := string(text)
		for b.Loop() {
			r.Replace(s)
		}
	})
}

func BenchmarkMatcher(b *testing.B) {
	secrets := benchSecrets(100)
	for b.Loop() {
		var set Set
		for i, s := range secrets {
			set.Add([]byte(s), i)
		}
		set.Matcher()
	}
}
