package web

import (
	"net/http"
	"strings"
	"unicode"

	"github.com/latchstring/latchstring/core/control"
)

// The names of what is downloaded.
const (
	requestFile = "infinibox_sa_csr.pem"
	keyFile     = "infinibox_sa_private_key.key"
)

// The tabs of the window, as they stand in addresses.
const (
	tabUpload  = "upload"
	tabRequest = "csr"
	tabSelf    = "self-signed"
)

// certView is the window Custom Certificates (REQ D1).
type certView struct {
	Tab     string
	Cert    control.Certificate
	Refused *message
	Draft   map[string]string // what was typed
	Kinds   []choice          // of keys
	System  string            // what the machine is called
	Done    bool              // a certificate was replaced, and this connection still has the old one
	Request string            // where it is downloaded
	Key     string
}

var keyKinds = []choice{{"rsa2048", "RSA, 2048 bits"}, {"rsa4096", "RSA, 4096 bits"}, {"p256", "ECDSA, P-256"}, {"p384", "ECDSA, P-384"}}

// certificates is the window, with one of its tabs open.
func (s *Server) certificates(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	tab := r.PathValue("tab")
	if tab == "" {
		tab = tabUpload
	}
	if tab != tabUpload && tab != tabRequest && tab != tabSelf {
		s.fail(w, r, http.StatusNotFound, "There is no such page.")
		return
	}
	v := certView{Tab: tab, Kinds: keyKinds, Request: "/certificates/" + requestFile, Key: "/certificates/" + keyFile}
	var err error
	if v.Cert, err = s.api.Certificate(r.Context(), by); err != nil {
		m := complaint(err)
		v.Refused = &m
	}
	v.System = bestName(v.Cert.System)
	p := &page{Title: "Custom Certificates", Flash: b.messages(s.opts.Now(), "certificates"), Data: &v}
	b.mu.Lock()
	p.User = new(*b.ticket)
	v.Draft = b.filled[tab]
	v.Done = b.replaced == v.Cert.Fingerprint && b.replaced != ""
	b.mu.Unlock()
	if v.Draft == nil {
		v.Draft = map[string]string{"cn": v.System}
	}
	s.render(w, r, http.StatusOK, "certificates", p)
}

// bestName is the most complete name of a machine.
func bestName(names []string) string {
	if len(names) == 0 {
		return ""
	}
	for _, n := range names {
		if strings.Contains(n, ".") && strings.ContainsFunc(n, unicode.IsLetter) {
			return n
		}
	}
	return names[0]
}

// changed answers a change, or what prevented it: by the page again, so that
// loading it anew does not change anything.
func (s *Server) changed(w http.ResponseWriter, r *http.Request, b *session, tab string, draft map[string]string, err error, ok message) {
	b.mu.Lock()
	b.flash = nil
	if b.filled == nil {
		b.filled = map[string]map[string]string{}
	}
	b.filled[tab] = draft
	b.mu.Unlock()
	if err != nil {
		b.note(refusal(err))
	} else {
		b.note(ok)
	}
	redirect(w, r, "/certificates/"+tab)
}

// uploadCertificate takes a file (REQ D2).
func (s *Server) uploadCertificate(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	u, err := readUpload(w, r)
	defer clear(u.PEM)
	var c control.Certificate
	if err == nil {
		c, err = s.api.UploadCertificate(r.Context(), by, u)
	}
	s.replaced(b, c)
	s.changed(w, r, b, tabUpload, nil, err, message{Kind: "ok", Text: "The certificate was verified and is in use. Refresh your browser.", More: sentences(c.Notes)})
}

// selfSign makes a self-signed certificate (REQ D8).
func (s *Server) selfSign(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	subject, draft, err := readSubject(r)
	var c control.Certificate
	if err == nil {
		c, err = s.api.SelfSignCertificate(r.Context(), by, subject)
	}
	s.replaced(b, c)
	s.changed(w, r, b, tabSelf, draft, err, message{Kind: "ok", Text: "The self-signed certificate was generated and has replaced the old one. Refresh your browser.",
		Hint: "Your browser will warn of it, because nobody vouches for it. Compare the fingerprint.", More: sentences(c.Notes)})
}

// replaced remembers that the connection of a browser still has the old
// certificate.
func (s *Server) replaced(b *session, c control.Certificate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c.Fingerprint != "" {
		b.replaced = c.Fingerprint
	}
}

// anew ends the connection, so that the browser sees the new certificate; a page
// that is loaded anew over the old connection would not show it.
func (s *Server) anew(w http.ResponseWriter, r *http.Request, b *session, _ control.Caller) {
	b.mu.Lock()
	b.replaced = ""
	b.mu.Unlock()
	w.Header().Set("Connection", "close")
	redirect(w, r, "/certificates/"+tabUpload)
}

// requestCertificate makes a key and a request (REQ D6).
func (s *Server) requestCertificate(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	subject, draft, err := readSubject(r)
	if err == nil {
		_, err = s.api.RequestCertificate(r.Context(), by, subject)
	}
	s.changed(w, r, b, tabRequest, draft, err, message{Kind: "ok", Text: "The request was generated. Download it below, and send it to your certificate authority."})
}

// downloadRequest gives the request that waits. It is no secret.
func (s *Server) downloadRequest(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	c, err := s.api.Certificate(r.Context(), by)
	switch {
	case err != nil:
		b.note(refusal(err))
	case c.Request == nil:
		b.note(message{Kind: "error", Text: "No request waits for a certificate. Generate one."})
	default:
		attach(w, requestFile, []byte(c.Request.PEM))
		return
	}
	redirect(w, r, "/certificates/"+tabRequest)
}

// downloadKey gives the private key of the request, once, to who made it.
func (s *Server) downloadKey(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	key, err := s.api.CertificateKey(r.Context(), by)
	defer clear(key)
	if err != nil {
		b.note(refusal(err))
		redirect(w, r, "/certificates/"+tabRequest)
		return
	}
	attach(w, keyFile, key)
}

// attach sends a file that the browser saves and does not show.
func attach(w http.ResponseWriter, name string, content []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/x-pem-file")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Length", itoa(len(content)))
	w.Write(content) //nolint:errcheck // the browser is gone then
}

// readSubject reads the form of a request or of a self-signed certificate, and
// what is to be typed there already when it comes again.
func readSubject(r *http.Request) (control.CertificateSubject, map[string]string, error) {
	f, err := readForm(r)
	if err != nil {
		return control.CertificateSubject{}, nil, err
	}
	draft := map[string]string{}
	for _, name := range []string{"cn", "o", "ou", "c", "st", "names", "key"} {
		if v := f.text(name); len(v) <= 4096 {
			draft[name] = v
		}
	}
	return control.CertificateSubject{CommonName: f.text("cn"), Organization: f.text("o"), Unit: f.text("ou"), Country: f.text("c"), State: f.text("st"),
		Names: strings.FieldsFunc(f.text("names"), func(c rune) bool { return c == ',' || c == ';' || unicode.IsSpace(c) }), KeyType: f.text("key")}, draft, nil
}
