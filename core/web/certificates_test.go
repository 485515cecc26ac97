package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/control"
)

// ownPages is an agent as far as certificates go.
type ownPages struct {
	cert     control.Certificate
	uploads  []control.CertificateUpload
	subjects []control.CertificateSubject
	key      string // that is handed out, once
	err      error
	restarts int
}

func (f *fake) Certificate(context.Context, control.Caller) (control.Certificate, error) {
	defer f.lock()()
	return f.pages.cert, nil
}

func (f *fake) UploadCertificate(_ context.Context, _ control.Caller, u control.CertificateUpload) (control.Certificate, error) {
	defer f.lock()()
	if f.pages.err != nil {
		return control.Certificate{}, f.pages.err
	}
	u.PEM = bytes.Clone(u.PEM)
	f.pages.uploads = append(f.pages.uploads, u)
	f.pages.cert.Fingerprint = "SHA256:new"
	return f.pages.cert, nil
}

func (f *fake) SelfSignCertificate(_ context.Context, _ control.Caller, s control.CertificateSubject) (control.Certificate, error) {
	defer f.lock()()
	if f.pages.err != nil {
		return control.Certificate{}, f.pages.err
	}
	f.pages.subjects = append(f.pages.subjects, s)
	f.pages.cert.Fingerprint = "SHA256:self"
	return f.pages.cert, nil
}

func (f *fake) RequestCertificate(_ context.Context, _ control.Caller, s control.CertificateSubject) (control.CertificateRequest, error) {
	defer f.lock()()
	if f.pages.err != nil {
		return control.CertificateRequest{}, f.pages.err
	}
	f.pages.subjects = append(f.pages.subjects, s)
	f.pages.key = "the k3y"
	f.pages.cert.Request = &control.CertificateRequest{Subject: "CN=" + s.CommonName, PEM: "the request", Mine: true}
	return *f.pages.cert.Request, nil
}

func (f *fake) CertificateKey(context.Context, control.Caller) ([]byte, error) {
	defer f.lock()()
	key := f.pages.key
	f.pages.key = ""
	if key == "" {
		return nil, coded{"the private key is given out once"}
	}
	return []byte(key), nil
}

func (f *fake) Restart(context.Context, control.Caller) error {
	defer f.lock()()
	f.pages.restarts++
	return f.pages.err
}

// upload posts a form with files, and a field.
func (w *world) upload(anyName string, files ...[]byte) (int, string, string) {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	if anyName != "" {
		m.WriteField("any_name", anyName)
	}
	for _, f := range files {
		p, err := m.CreateFormFile("file", "../../both.pem")
		if err != nil {
			w.t.Fatal(err)
		}
		p.Write(f)
	}
	m.Close()
	resp, err := w.c.Post(w.url+"/certificates/upload", m.FormDataContentType(), &b)
	return w.read(resp, err)
}

// REQ D1
func TestCertificatePages(t *testing.T) {
	w := newWorld(t)
	if _, at, _ := w.get("/certificates/csr"); at != "/login" {
		t.Errorf("who has not logged in is at %s", at)
	}
	w.in()
	w.pages.cert = control.Certificate{Subject: "CN=sa<b>", Names: []string{"sa.example.com"}, System: []string{"sa", "sa.example.com", "192.0.2.7"}, Fingerprint: "SHA256:old", Warning: "the certificate of the web pages ends in 9 days"}
	_, _, home := w.get("/")
	w.want(home, `href="/certificates/upload">Custom Certificates`, `href="/reload">Reload Service`)
	for tab, texts := range map[string][]string{
		"":             {"Upload a certificate", `type="file"`, `enctype="multipart/form-data"`, "This system is called <strong>sa.example.com</strong>"},
		"/upload":      {"Upload a certificate"},
		"/csr":         {"Generate a CSR (Certificate Signing Request)", "Common Name (CN)", "Organization (O)", "Organizational Unit (OU)", "Country (C)", "State (ST)", `value="sa.example.com"`},
		"/self-signed": {"Generate a Self-Signed Certificate", "Country (C)"},
	} {
		code, _, page := w.get("/certificates" + tab)
		w.want(page, append(texts, "The certificate in use", "CN=sa&lt;b&gt;", "SHA256:old", "The certificate of the web pages ends in 9 days.", "Self-Signed Certificate</a>")...)
		if code != http.StatusOK {
			t.Errorf("%s: %d", tab, code)
		}
		checkMarkup(t, tab, page)
	}
	if code, _, _ := w.get("/certificates/other"); code != http.StatusNotFound {
		t.Errorf("%d", code)
	}
	_, _, page := w.get("/reload")
	w.want(page, "Reload the service?", "no session is cut", ">Yes<", ">No<")
	checkMarkup(t, "reload", page)
}

// REQ D2, D4, D5
func TestUpload(t *testing.T) {
	w := newWorld(t)
	w.in()
	_, at, page := w.upload("", []byte("both"))
	w.want(page, "is in use. Refresh your browser.", `href="/certificates/anew"`)
	if u := w.pages.uploads; at != "/certificates/upload" || len(u) != 1 || string(u[0].PEM) != "both" || u[0].AnyName {
		t.Errorf("at %s: %+v", at, u)
	}
	w.upload("1", []byte("alias"))
	if u := w.pages.uploads; len(u) != 2 || !u[1].AnyName {
		t.Errorf("%+v", u)
	}
	// Refreshing opens a new connection, which gets the new certificate.
	w.c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := w.c.Get(w.url + "/certificates/anew")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	w.c.CheckRedirect = nil
	if !resp.Close || resp.Header.Get("Location") != "/certificates/upload" {
		t.Errorf("the connection stays: %v", resp.Header)
	}
	w.pages.err = coded{"the private key does not belong to the certificate"}
	_, _, page = w.upload("", []byte("wrong"))
	w.want(page, `class="message error"`, "The private key does not belong to the certificate.")
	w.pages.err = coded{"refused by policy: the login is 20m old, and no more than 15m are allowed; log in again"}
	_, _, page = w.upload("", []byte("late"))
	w.want(page, "Log out and in again; nothing is lost by it.")
	if len(w.pages.uploads) != 2 {
		t.Errorf("%d uploads", len(w.pages.uploads))
	}
}

// What is posted is bounded, and nothing of it gets to a disk.
func TestUploadAttacks(t *testing.T) {
	w := newWorld(t)
	t.Setenv("TMPDIR", "/nonexistent") // where forms would be kept
	w.in()
	for name, tt := range map[string]struct {
		post func() (int, string, string)
		says string
	}{
		"a huge file":    {func() (int, string, string) { return w.upload("", make([]byte, maxFile+1)) }, "larger than 256 kB"},
		"no file":        {func() (int, string, string) { return w.upload("1") }, "No file was chosen"},
		"an empty file":  {func() (int, string, string) { return w.upload("", nil) }, "No file was chosen"},
		"two files":      {func() (int, string, string) { return w.upload("", []byte("a"), []byte("b")) }, "Choose one file"},
		"another form":   {func() (int, string, string) { return w.post("/certificates/upload", "file", "x") }, "Read the form"},
		"a broken form":  {func() (int, string, string) { return w.send("multipart/form-data; boundary=x", "--x\r\nnonsense") }, "Read the form"},
		"without an end": {func() (int, string, string) { return w.send("multipart/form-data", "x") }, "Read the form"},
	} {
		if _, at, page := tt.post(); at != "/certificates/upload" || !strings.Contains(page, tt.says) {
			t.Errorf("%s: at %s\n%s", name, at, page)
		}
	}
	// A body beyond all bounds is not read to its end.
	resp, err := w.c.Post(w.url+"/certificates/upload", "multipart/form-data; boundary=x", io.MultiReader(strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n"), io.LimitReader(rand.Reader, 64<<20)))
	if err == nil {
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.Contains(string(b), "larger than 256 kB") {
			t.Errorf("%d: %s", resp.StatusCode, b)
		}
	}
	if len(w.pages.uploads) != 0 {
		t.Errorf("%+v", w.pages.uploads)
	}
	// Another site, by a form of its own.
	for _, path := range []string{"/certificates/upload", "/certificates/csr", "/certificates/self-signed", "/certificates/infinibox_sa_private_key.key", "/reload"} {
		req, _ := http.NewRequest(http.MethodPost, w.url+path, strings.NewReader("cn=evil"))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "https://evil.example")
		resp, err := w.c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
		if path == "/reload" || path == "/certificates/csr" {
			continue
		}
		if code, _, page := w.get(path); strings.Contains(page, "the k3y") || strings.HasSuffix(path, ".key") && code != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, code)
		}
	}
	if len(w.pages.subjects)+w.pages.restarts != 0 {
		t.Errorf("%+v, %d", w.pages.subjects, w.pages.restarts)
	}
	// What the agent does not admit, as for another role, is not done.
	w.no = coded{"refused by policy: no role"}
	_, _, page := w.get("/certificates/csr")
	w.want(page, "Refused by policy: no role.")
	if strings.Contains(page, "<form method=\"post\" action=\"/certificates/csr\"") {
		t.Error("the form is shown")
	}
	w.upload("", []byte("both"))
	w.post("/certificates/self-signed", "cn", "sa")
	w.post("/reload")
	if len(w.pages.uploads)+len(w.pages.subjects)+w.pages.restarts != 0 {
		t.Error("it is done")
	}
}

func (w *world) send(kind, body string) (int, string, string) {
	w.t.Helper()
	resp, err := w.c.Post(w.url+"/certificates/upload", kind, strings.NewReader(body))
	return w.read(resp, err)
}

// REQ D6
func TestRequest(t *testing.T) {
	w := newWorld(t)
	w.in()
	_, at, page := w.post("/certificates/csr", "cn", "sa.example.com", "o", "Example & Co.", "ou", "IT", "c", "US", "st", "California", "names", "sa, 10.0.0.5;\n sb", "key", "p384")
	w.want(page, "The request was generated.", "A request waits for its certificate", "Download infinibox_sa_csr.pem", "Download infinibox_sa_private_key.key", `value="Example &amp; Co."`, `value="p384" selected`)
	checkMarkup(t, "request", page)
	if s := w.pages.subjects; at != "/certificates/csr" || len(s) != 1 || s[0].Organization != "Example & Co." || strings.Join(s[0].Names, " ") != "sa 10.0.0.5 sb" || s[0].KeyType != "p384" || s[0].State != "California" {
		t.Errorf("at %s: %+v", at, s)
	}
	for i, path := range []string{"/certificates/infinibox_sa_csr.pem", "/certificates/infinibox_sa_private_key.key"} {
		resp, err := w.c.Get(w.url + path)
		if i == 1 {
			resp.Body.Close()
			resp, err = w.c.PostForm(w.url+path, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != []string{"the request", "the k3y"}[i] || !strings.Contains(resp.Header.Get("Content-Disposition"), "attachment") || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %q, %v", path, body, resp.Header)
		}
	}
	_, _, page = w.post("/certificates/infinibox_sa_private_key.key") // once
	w.want(page, "The private key is given out once.")
	w.pages.err = coded{`the country (C) is two letters, and not "USA"`}
	_, _, page = w.post("/certificates/csr", "cn", "sa.example.com", "c", "USA")
	w.want(page, "two letters, and not", `value="USA"`)
}

// REQ D8
func TestSelfSignedPage(t *testing.T) {
	w := newWorld(t)
	w.in()
	_, at, page := w.post("/certificates/self-signed", "cn", "ibox3333", "c", "US")
	w.want(page, "has replaced the old one. Refresh your browser.", "Compare the fingerprint.")
	if s := w.pages.subjects; at != "/certificates/self-signed" || len(s) != 1 || s[0].CommonName != "ibox3333" || len(s[0].Names) != 0 {
		t.Errorf("at %s: %+v", at, s)
	}
}

// REQ B11
func TestReload(t *testing.T) {
	w := newWorld(t)
	w.in()
	w.sess = control.Session{State: "open", ID: "ses-1", Connections: []control.Connection{{ID: "con-1"}}}
	_, _, page := w.get("/reload")
	w.want(page, "1 connection cut")
	if w.pages.restarts != 0 {
		t.Error("asking is doing")
	}
	_, at, page := w.post("/reload")
	w.want(page, "is being reloaded", `http-equiv="refresh" content="10; url=/login"`)
	if w.pages.restarts != 1 || at != "/reload" {
		t.Errorf("%d, at %s", w.pages.restarts, at)
	}
	w.pages.err = errors.New("the agent does not run")
	_, _, page = w.post("/reload")
	w.want(page, "The agent does not run.")
}

// A browser that trusted the old certificate can still see a self-signed one.
func TestSecureOnly(t *testing.T) {
	w := newWorld(t)
	for issuer, want := range map[string]string{"sa": "max-age=0", "ca": "max-age=86400"} {
		w.opts.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &tls.Certificate{Leaf: &x509.Certificate{RawSubject: []byte("sa"), RawIssuer: []byte(issuer)}}, nil
		}
		resp, err := w.c.Get(w.url + "/login")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("signed by %s: %q", issuer, got)
		}
	}
}
