package bundler

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/bundle"
)

// seeds are secrets as they lie about on machines, each in the place where it
// is recognizable. The same values then stand bare in logs.
var seeds = map[string]string{
	"app.conf":       "[db]\npassword = Wint3rIsComing!\nhost=db\n",
	"app.yaml":       "database:\n  password: \"Sm0keOnTheW4ter\"\n  url: postgres://app:Pg-Passw0rd-7@db/app\n",
	"app.json":       "{\"api_key\": \"k-8f31c2aa90b14d7e\", \"clientSecret\": \"Cl13nt/S3cr3t+x\"}\n",
	"app.env":        "export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYzzAMPLEKEY1\nTOKEN='tok_Zx81mQpL20vn'\n",
	"app.xml":        "<c><password>Xml&amp;P4ssw0rd</password></c>\n",
	"proxy.cfg":      "http_proxy=http://proxyuser:Pr0xyP4ss@proxy:3128\n",
	"id.pem":         "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\nKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQJAIJLixBy2qpFoS4DSmoEm\n-----END RSA PRIVATE KEY-----\n",
	"unit.service":   "[Service]\nExecStart=/usr/bin/app --db-password Un1tP4ssw0rd --port 80\n",
	"app.properties": "spring.datasource.password=Pr0pertyP4ss\n",
	"wp-config.ini":  "auth_token: \"A7-98f7a1bb02cc\"\n",
}

// values are what must not leave, in any spelling.
var values = []string{
	"Wint3rIsComing!", "Sm0keOnTheW4ter", "Pg-Passw0rd-7", "k-8f31c2aa90b14d7e", "Cl13nt/S3cr3t+x",
	"wJalrXUtnFEMIK7MDENGbPxRfiCYzzAMPLEKEY1", "tok_Zx81mQpL20vn", "Xml&P4ssw0rd", "Pr0xyP4ss",
	"MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu", "Un1tP4ssw0rd", "Pr0pertyP4ss", "A7-98f7a1bb02cc",
}

// spellings are the encodings in which a value may turn up in a log.
func spellings(v string) map[string]string {
	j, _ := json.Marshal(v)
	out := map[string]string{
		"raw": v, "url": url.QueryEscape(v), "path": url.PathEscape(v), "json": strings.Trim(string(j), `"`),
		"base64": base64.StdEncoding.EncodeToString([]byte(v)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(v)),
		"basic auth": base64.StdEncoding.EncodeToString([]byte("admin:" + v)),
	}
	return out
}

// REQ H2, H9: secrets seeded in configuration, units, keys, and again in logs,
// compressed logs, requests and tokens: none is in the bundle, in any encoding.
func TestSeededSecretsStayHome(t *testing.T) {
	b := open(t, "")
	dir := t.TempDir()
	for name, text := range seeds {
		write(t, filepath.Join(dir, "etc", name), text)
	}
	var log strings.Builder
	for i, v := range values {
		if strings.HasPrefix(v, "MII") {
			continue // a line of a key alone is for the gate to judge
		}
		for how, s := range spellings(v) {
			log.WriteString("Nov 22 10:00:00 host app[1]: attempt ")
			log.WriteString(how + " with " + s + " failed\n")
		}
		log.WriteString("GET /login?user=u" + string(rune('a'+i)) + "&next=" + url.QueryEscape("/x?p="+v) + " HTTP/1.1\n")
	}
	write(t, filepath.Join(dir, "log/app.log"), log.String())
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, log.String())
	w.Close()
	write(t, filepath.Join(dir, "log/app.log.1.gz"), zipped.String())

	out := filepath.Join(t.TempDir(), "b")
	req := onlyFiles(dir)
	req.Output, req.NoEncrypt = out, true
	if _, err := makeBundle(t, b, req); err != nil {
		t.Fatal(err)
	}
	opened, files := contents(t, out)
	files[bundle.ManifestName] = string(opened.Recorded())
	if len(files) < len(seeds)+3 {
		t.Errorf("only %d files", len(files))
	}
	for p, text := range files {
		for _, v := range values {
			for how, s := range spellings(v) {
				if strings.Contains(text, s) {
					t.Errorf("%s holds %s (%s)", p, v, how)
				}
			}
			if strings.Contains(text, hex.EncodeToString([]byte(v))) {
				t.Errorf("%s holds %s (hex)", p, v)
			}
		}
	}
	if log := files["files"+dir+"/log/app.log"]; strings.Count(log, "\n") < 50 || !strings.Contains(log, "Nov 22 10:00:00") {
		t.Errorf("the log is of no use any more:\n%.300s", log)
	}
	// Nothing raw is left on this machine's disk either.
	filepath.Walk(b.p.Root.Dir, func(p string, st os.FileInfo, err error) error {
		if err == nil && st.Mode().IsRegular() {
			data, _ := os.ReadFile(p)
			for _, v := range values {
				if bytes.Contains(data, []byte(v)) {
					t.Errorf("%s holds %s", p, v)
				}
			}
		}
		return nil
	})
}

// A line of 11 MB, with which a peer sends the file unredacted.
func TestLongLineIsSanitized(t *testing.T) {
	b := open(t, "")
	dir := t.TempDir()
	url := "postgres://app:SecretPw-77@db.internal:5432/d"
	write(t, filepath.Join(dir, "big.log"), url+"\n"+strings.Repeat("x", 11<<20)+url+"\n"+url+"\n")
	out := filepath.Join(t.TempDir(), "b")
	req := onlyFiles(dir)
	req.Output, req.NoEncrypt = out, true
	if _, err := makeBundle(t, b, req); err != nil {
		t.Fatal(err)
	}
	_, files := contents(t, out)
	text := files["files"+dir+"/big.log"]
	if strings.Contains(text, "SecretPw-77") {
		t.Error("the password is in the bundle")
	}
	if len(text) < 11<<20 || strings.Count(text, "\n") != 3 {
		t.Errorf("%d bytes, %d lines", len(text), strings.Count(text, "\n"))
	}
}
