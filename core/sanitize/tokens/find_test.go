package tokens

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// runs calls f for every run of token characters in s.
func runs(s []byte, f func(start, end int)) {
	for i := 0; i < len(s); {
		if !is(s[i], runChar) {
			i++
			continue
		}
		j := span(s, i, runChar)
		f(i, j)
		i = j
	}
}

// findAll returns what Find reports on all of s.
func findAll(s string) []Match {
	var out []Match
	b := []byte(s)
	runs(b, func(start, end int) {
		for start < end {
			m, ok := Find(b, start, end)
			if !ok {
				return
			}
			out = append(out, m)
			start = max(m.End, start+1)
		}
	})
	return out
}

// fill draws n bytes of a class, with letters and digits in turn so that every
// draw has variety.
func fill(r *rand.Rand, c class, n int) string {
	var set []byte
	for b := range 128 {
		if is(byte(b), c) && is(byte(b), alnum) {
			set = append(set, byte(b))
		}
	}
	var b strings.Builder
	for i := range n {
		for {
			x := set[r.IntN(len(set))]
			// every third byte a digit where the class has digits
			if c != letter && (i%3 == 1) != is(x, digit) && c != digit {
				continue
			}
			b.WriteByte(x)
			break
		}
	}
	return b.String()
}

func draw(r *rand.Rand, f *format) string {
	var b strings.Builder
	b.WriteString(f.prefix)
	for _, s := range f.steps {
		if s.lit != "" {
			b.WriteString(s.lit)
			continue
		}
		n := s.min
		if s.max > s.min {
			n += r.IntN(s.max - s.min + 1)
		}
		b.WriteString(fill(r, s.class, n))
	}
	return b.String()
}

// Every format finds what is drawn from it, whole, in the contexts that text
// files have.
func TestFormatsFindTheirOwn(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	contexts := []string{"%", "x=%", `"%"`, "token: %\n", "'%',", "(%)", "https://h/%", `\n%\n`, "%3D%", "\x1b[31m%\x1b[0m", "<t>%</t>"}
	for i := range formats {
		f := &formats[i]
		for _, ctx := range contexts {
			tok := draw(r, f)
			k := strings.LastIndexByte(ctx, '%')
			text := ctx[:k] + tok + ctx[k+1:]
			found := false
			for _, m := range findAll(text) {
				found = found || m.Start <= k && m.End >= k+len(tok)
			}
			if !found {
				t.Errorf("%s: %q in %q: found %v", f.id, tok, text, findAll(text))
				break
			}
		}
	}
}

// Every vendor's token is found when it is assigned to a key of that vendor,
// and without the vendor's name it is not.
func TestVendors(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range vendors {
		d := &vendors[i]
		for _, v := range d.values {
			if v.min > 400 {
				continue
			}
			var tok string
			if !v.uuid {
				tok = fill(r, v.class, v.min)
			} else {
				tok = fill(r, lowerHex, 8) + "-" + fill(r, lowerHex, 4) + "-" + fill(r, lowerHex, 4) + "-" + fill(r, lowerHex, 4) + "-" + fill(r, lowerHex, 12)
			}
			if v.class == digit {
				continue // told only with a letter beside
			}
			keys := []string{"%s_key = '", "export %s_TOKEN=", `"%s.secret": "`}
			if !d.common {
				keys = append(keys, "%s_id := \"", "%s: ")
			}
			for _, k := range keys {
				text := strings.Replace(k, "%s", d.name, 1)
				at := len(text)
				text += tok
				ok := false
				for _, m := range findAll(text) {
					ok = ok || m.Start <= at && m.End >= len(text)
				}
				if !ok {
					t.Errorf("%s: not found in %q", d.name, text)
				}
			}
		}
	}
	for _, text := range []string{"id=7, cloudplan-token-0a1B2c3D4e5F6g7H8i9J0k1L", "x\ncloudplanSECRET-0a1B2c3D4e5F6g7H8i9J0k1L", "shodan token 0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P"} {
		if m := findAll(text); len(m) != 1 || m[0].End != len(text) {
			t.Errorf("%q: %v", text, m)
		}
	}
	if m := findAll("checksum = 3f786850e387550fdab836ed7e6dc881de23001b"); len(m) > 0 {
		t.Errorf("a plain checksum is taken for %s", m[0].Rule)
	}
}

func TestInfix(t *testing.T) {
	for _, c := range []struct{ text, tok, rule string }{
		{"TELEGRAM: 123456789:AAabcdefghi0123456789jklmnopqrstuvwx end", "123456789:AAabcdefghi0123456789jklmnopqrstuvwx", "telegram-bot-token"},
		{"sid=00D5g000004abcD!AQ0" + strings.Repeat("aB3", 32), "00D5g000004abcD!AQ0" + strings.Repeat("aB3", 32), "salesforce-token"},
		{"t=123456789012345|abcD3fghIjkl9nopQrst7vwxY2z", "123456789012345|abcD3fghIjkl9nopQrst7vwxY2z", "facebook-app-token"},
		{"key 0123456789abcdef0123456789abcdef-us12;", "0123456789abcdef0123456789abcdef-us12", "mailchimp-key"},
		{"k=0123456789abcdef0123456789abcdef-0a1b2c3d-4e5f6071", "0123456789abcdef0123456789abcdef-0a1b2c3d-4e5f6071", "mailgun-signing-key"},
		{"h $krb5asrep$23$anna@EXAMPLE.NET:0123456789abcdef0123456789abcdef$" + strings.Repeat("0a1b", 20) + " x", "$krb5asrep$23$anna@EXAMPLE.NET:0123456789abcdef0123456789abcdef$" + strings.Repeat("0a1b", 20), "kerberos-hash"},
		{"tok 6d2FabeB6ADd229Bc199FabA28fD3efb57dF0bD3;", "6d2FabeB6ADd229Bc199FabA28fD3efb57dF0bD3", "mixed-case-hex"},
		{"APP_KEY=base64:" + strings.Repeat("a1B2", 11) + "=", strings.Repeat("a1B2", 11) + "=", "laravel-app-key"},
		{"t=Atza|" + strings.Repeat("IQEBLj", 10) + "1", strings.Repeat("IQEBLj", 10) + "1", "amazon-token"},
		{"pass oauth:" + strings.Repeat("a1b2c3", 5), strings.Repeat("a1b2c3", 5), "twitch-oauth"},
		{"a1B2c3D4e5F6g7.atlasv1." + strings.Repeat("x9Y", 20), "a1B2c3D4e5F6g7.atlasv1." + strings.Repeat("x9Y", 20), "terraform-token"},
		{"s: 'abc8Q~" + strings.Repeat("a1B", 11) + "'", "abc8Q~" + strings.Repeat("a1B", 11), "azure-client-secret"},
		{"pat " + strings.Repeat("a1B2", 19) + "AZDO1a2B", strings.Repeat("a1B2", 19) + "AZDO1a2B", "azure-devops-token"},
		{"MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "discord-token"},
		{"id 123456789012-" + strings.Repeat("a1b2", 8) + ".apps.googleusercontent.com", "123456789012-" + strings.Repeat("a1b2", 8), "google-client-id"},
		{"kubeadm join --token abc12d.0123456789abcdef x", "abc12d.0123456789abcdef", "kubernetes-bootstrap"},
		{"l=AbCd12_" + strings.Repeat("a", 29) + "_mmk", "AbCd12_" + strings.Repeat("a", 29) + "_mmk", "maxmind-key"},
		{strings.Repeat("a1", 18) + "NRAL", strings.Repeat("a1", 18) + "NRAL", "newrelic-license"},
	} {
		ok := false
		for _, m := range findAll(c.text) {
			ok = ok || m.Rule == c.rule && c.text[m.Start:m.End] == c.tok
		}
		if !ok {
			t.Errorf("%s in %q: found %v", c.rule, c.text, findAll(c.text))
		}
	}
}

// What looks like a token and is none.
func TestKeeps(t *testing.T) {
	for _, s := range []string{
		"ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
		"xoxb-xxxxxxxxxxx-xxxxxxxxxxxxxxxxxxxxxxxx",
		"sk-very-long-kebab-case-identifier-of-something",
		"/usr/lib/x86_64-linux-gnu/libskiplist-1.2.3.so.4",
		"2026-01-02T03:04:05.678901Z",
		"550e8400-e29b-41d4-a716-446655440000",
		"d41d8cd98f00b204e9800998ecf8427e",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"com.example.application.config.DataSourceAutoConfiguration$Pooled",
		"kube-system/coredns-5d78c9869d-abcde",
		"s3://bucket/key/part-00000-of-00010.parquet",
		"hf_requiredCharacteristicTypesForDisplayMetadata;",
		"api-server-token-reviewer",
		"CVE-2024-12345 RHSA-2024:1234",
		"eyebrow.eyelid.eyelash",
		"token_type=bearer&expires_in=3600",
		"pat.kowalski@example.com",
		"s.getRequestDispatcherFactory()",
		"scsi-SATA_QEMU_HARDDISK_QM00001",
		"live_migration_downtime_delay",
		"datadog-agent-cluster-checks-runner",
		"DO00 API-GATEWAY-CONTROLLER SK Hynix",
		"pk.primary_key_name_of_table",
		"-----BEGIN CERTIFICATE-----",
		"ca: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJkekNDQVIyZ0F3SUJBZ0lCQURBS",
	} {
		if m := findAll(s); len(m) > 0 {
			t.Errorf("%q is taken for %s: %q", s, m[0].Rule, s[m[0].Start:m[0].End])
		}
	}
}

// A token that the window cuts off is reported as open.
func TestOpen(t *testing.T) {
	s := []byte("x=ghp_0123456789abcdefghij")
	m, ok := Find(s, 0, len(s))
	if !ok || !m.Open || m.End != len(s) {
		t.Errorf("cut off token: %+v %v", m, ok)
	}
	if m, ok := Find([]byte("ghp_0123456789abcdefghijklmnopqrstuvwxyz0123 "), 0, 44); !ok || m.Open {
		t.Errorf("whole token: %+v %v", m, ok)
	}
}

func TestNoAllocations(t *testing.T) {
	b := []byte(strings.Repeat(ordinary, 20))
	if n := testing.AllocsPerRun(5, func() {
		for i := 0; ; {
			s, e, ok := Next(b, i)
			if !ok {
				break
			}
			Find(b, s, e)
			i = e
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Next misses no long run.
func TestNext(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		b := make([]byte, 200)
		for i := range b {
			b[i] = "ab1_-./= \n,:"[r.IntN(12)]
			if r.IntN(3) > 0 {
				b[i] = 'x'
			}
		}
		want := map[[2]int]bool{}
		runs(b, func(s, e int) {
			for i := s; i < e; i++ {
				if is(b[i], base64URL) && span(b[:e], i, base64URL)-i >= minRun {
					want[[2]int{s, e}] = true
				}
			}
		})
		got := map[[2]int]bool{}
		for i := 0; ; { // no A in the text: nothing short
			s, e, ok := Next(b, i)
			if !ok {
				break
			}
			got[[2]int{s, e}] = true
			i = e
		}
		for k := range want {
			if !got[k] {
				t.Fatalf("%q: run %v missed", b, k)
			}
		}
		for k := range got {
			if !want[k] {
				t.Fatalf("%q: %v is no long run", b, k)
			}
		}
	}
}

// Next finds the few tokens that are shorter than a long run, in order.
func TestNextShort(t *testing.T) {
	b := []byte("MAP=1 API_KEY x APB01234abcde, an AKCp8abcdefghij in a-long-run-of-characters and APFxxxxxxxxxx")
	var got []string
	for i := 0; ; {
		s, e, ok := Next(b, i)
		if !ok {
			break
		}
		got = append(got, string(b[s:e]))
		i = e
	}
	want := "APB01234abcde AKCp8abcdefghij a-long-run-of-characters APFxxxxxxxxxx"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got %q, want %q", s, want)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("x ghp_0123456789abcdefghijklmnopqrstuvwxyz", 2, 40)
	f.Add("acme_key=abc:AA", 0, 9)
	f.Add("eyJ..eyJ.~Q8Q~", 0, 14)
	f.Fuzz(func(t *testing.T, s string, start, end int) {
		if start < 0 || end > len(s) || start > end {
			return
		}
		m, ok := Find([]byte(s), start, end)
		if ok && (m.Start < 0 || m.End > len(s) || m.Start >= m.End || m.End <= start || m.Rule == "") {
			t.Errorf("Find(%q, %d, %d) = %+v", s, start, end, m)
		}
	})
}

// ordinary is log text without tokens.
const ordinary = `Jan 12 06:25:43 web-17 sshd[2211]: Accepted publickey for deploy from 10.20.30.41 port 51122 ssh2: RSA SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8
2026-01-12T06:25:44.120Z INFO  [http-nio-8080-exec-7] c.e.shop.OrderController - order 4711 created in 35 ms for customer 1042
10.1.7.22 - - [12/Jan/2026:06:25:45 +0000] "GET /static/js/app.3f2a91.js HTTP/1.1" 200 48213 "https://shop.example.com/cart" "Mozilla/5.0 (X11; Linux x86_64)"
Jan 12 06:25:46 db-03 postgres[812]: [5-1] LOG:  checkpoint complete: wrote 312 buffers (1.9%); 0 WAL file(s) added, 0 removed, 1 recycled
Jan 12 06:25:47 node1 kernel: [ 1234.567890] EXT4-fs (dm-0): mounted filesystem with ordered data mode. Opts: (null)
	at org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1063)
`

func BenchmarkNext(b *testing.B) {
	text := []byte(strings.Repeat(ordinary, 200))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for i := 0; ; {
			_, e, ok := Next(text, i)
			if !ok {
				break
			}
			i = e
		}
	}
}

func BenchmarkFindOrdinary(b *testing.B) {
	text := []byte(strings.Repeat(ordinary, 200))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for i := 0; ; {
			s, e, ok := Next(text, i)
			if !ok {
				break
			}
			Find(text, s, e)
			i = e
		}
	}
}
func BenchmarkLineOrdinary(b *testing.B) {
	text := []byte(strings.Repeat(ordinary, 200))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for i := 0; i < len(text); {
			j := i + bytes.IndexByte(text[i:], '\n') + 1
			Line(text, i, j, func(int, int, string) { b.Fatal("found") })
			i = j
		}
	}
}

// Who says that no telling word is near gets the same answer, if that is true.
func TestNear(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	var names []string
	for i := range vendors {
		names = append(names, vendors[i].name)
	}
	glue := []string{" ", "=", ": ", `"`, `":"`, "_id=", "-", ".", `["`, `"] = '`, "(", "\t", "@", ",", " url ", "_", "/", "\\", "{", " : \"", "='"}
	values := []string{
		"0b9a3c1e-5a7f-4c2d-8e6b-1f0a9d8c7b6a", "d41d8cd98f00b204e9800998ecf8427e", "Zk3Lq9Xw2Pv7Rt5Yb8Nc1Md6", "a=b3f8c1d9e7a2b4c6d8e0f1a2b3c4d5e6", "q7w8e9r0t1y2u3i4o5p6a7s8d9f0g1h2",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "shop-api-5fx8g-2b4kk",
	}
	tried := 0
	for range 60000 {
		var b strings.Builder
		for range r.IntN(5) {
			b.WriteString(names[r.IntN(len(names))])
			b.WriteString(glue[r.IntN(len(glue))])
		}
		v := values[r.IntN(len(values))]
		for b.Len() > 0 && is(b.String()[b.Len()-1], runChar) {
			b.WriteString(glue[r.IntN(6)])
		}
		start := b.Len()
		b.WriteString(v)
		text := []byte(b.String() + glue[r.IntN(6)])
		if lastSecretWord(text) >= 0 {
			continue
		}
		tried++
		want, ok := Find(text, start, start+len(v))
		got, ok2 := FindNear(text, start, start+len(v), false)
		if got != want || ok != ok2 {
			t.Fatalf("%q at %d: %v %v, with every word looked for %v %v", text, start, got, ok2, want, ok)
		}
	}
	if tried < 10000 {
		t.Errorf("only %d windows without a telling word", tried)
	}
}
