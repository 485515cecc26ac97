package agent

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io/fs"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/web/cert"
)

var _ control.Pages = (*Agent)(nil)

// keyLife is how long the private key of a request is handed out to who made it.
const keyLife = 10 * time.Minute

// handout is the private key of the request that somebody just made in his
// browser. It is not here but in its file; this says who may have it, once.
type handout struct {
	mu      sync.Mutex
	browser string
	request string // fingerprint of the key
	until   time.Time
}

func (h *handout) offer(browser, request string, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.browser, h.request, h.until = browser, request, until
}

func (h *handout) open(browser, request string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return browser != "" && h.browser == browser && h.request == request && now.Before(h.until)
}

// take is open, for the last time.
func (h *handout) take(browser, request string, now time.Time) bool {
	ok := h.open(browser, request, now)
	if ok {
		h.offer("", "", time.Time{})
	}
	return ok
}

func (a *Agent) certificates() *cert.Store {
	return cert.Open(a.root.Var("web"), machineNames(&net.TCPAddr{}))
}

// mayChangePages asks whether somebody may change what the pages rest on, as if
// he opened a session: his role, how he logged in, how long ago. Refusals are
// recorded.
func (a *Agent) mayChangePages(by control.Caller, what string) error {
	if by.Trusted() {
		return nil
	}
	if err := a.outsider(by, what); err != nil {
		return err
	}
	who, err := a.who(by)
	if err != nil {
		return err
	}
	facts := fresh(whoFacts(opener(by, who)), who)
	facts[policy.Duration] = time.Duration(0).String()
	if err := a.Decide(policy.SessionExtend, facts).Err(); err != nil {
		if _, e := a.Append(audit.Event{Type: audit.PolicyRefused, Actor: by.Actor(), Subject: what, Detail: details("reason", firstLine(err.Error()))}); e != nil {
			return errors.Join(err, e)
		}
		return err
	}
	return nil
}

// Certificate implements [control.Pages].
func (a *Agent) Certificate(_ context.Context, by control.Caller) (control.Certificate, error) {
	s := a.certificates()
	info, err := s.Info()
	if err != nil {
		return control.Certificate{}, err
	}
	c := control.Certificate{File: s.Path(), Subject: info.Subject.String(), Issuer: info.Issuer.String(), SelfSigned: cert.SelfSigned(info.Certificate), Names: info.Names(),
		Key: info.Kind, Chain: info.Chain, From: info.NotBefore, Until: info.NotAfter, Fingerprint: cert.Fingerprint(info.Certificate), Renewed: info.Renewed,
		Warning: info.Ending(time.Now()), System: cert.SystemNames()}
	r, err := s.Waiting()
	switch {
	case err == nil:
		waits := request(r)
		waits.Mine = a.keyOut.open(by.Browser, requestPrint(r), time.Now())
		c.Request = &waits
	case !errors.Is(err, fs.ErrNotExist):
		c.Notes = append(c.Notes, err.Error())
	}
	return c, nil
}

func request(r *cert.Request) control.CertificateRequest {
	return control.CertificateRequest{Subject: r.CSR.Subject.String(), Names: r.Names(), Key: r.Kind, Made: r.Made, PEM: string(r.PEM())}
}

// requestPrint names a request: its key, as it is pinned elsewhere too.
func requestPrint(r *cert.Request) string {
	sum := sha256.Sum256(r.CSR.RawSubjectPublicKeyInfo)
	return "SHA256:" + base64.StdEncoding.EncodeToString(sum[:])
}

func subject(s control.CertificateSubject) cert.Subject {
	return cert.Subject{CommonName: s.CommonName, Organization: s.Organization, Unit: s.Unit, Country: s.Country, State: s.State, Names: s.Names, KeyType: s.KeyType}
}

// UploadCertificate implements [control.Pages].
func (a *Agent) UploadCertificate(ctx context.Context, by control.Caller, u control.CertificateUpload) (control.Certificate, error) {
	if err := a.mayChangePages(by, "change the certificate of the web pages"); err != nil {
		return control.Certificate{}, err
	}
	change, err := a.certificates().Upload(u.PEM, u.AnyName, a.replaced(by))
	return a.changed(ctx, by, change, err)
}

// SelfSignCertificate implements [control.Pages].
func (a *Agent) SelfSignCertificate(ctx context.Context, by control.Caller, s control.CertificateSubject) (control.Certificate, error) {
	if err := a.mayChangePages(by, "change the certificate of the web pages"); err != nil {
		return control.Certificate{}, err
	}
	change, err := a.certificates().SelfSign(subject(s), a.replaced(by))
	return a.changed(ctx, by, change, err)
}

func (a *Agent) changed(ctx context.Context, by control.Caller, change cert.Change, err error) (control.Certificate, error) {
	if err != nil {
		return control.Certificate{}, err
	}
	c, err := a.Certificate(ctx, by)
	c.Notes = append(c.Notes, change.Notes...)
	return c, err
}

// replaced records a change before it counts.
func (a *Agent) replaced(by control.Caller) func(cert.Change) error {
	return func(c cert.Change) error {
		_, err := a.Append(audit.Event{Type: audit.CertificateReplaced, Actor: by.Actor(), Subject: cert.Fingerprint(c.New), Detail: details("old", printOf(c.Old),
			"how", c.How, "subject", c.New.Subject.String(), "issuer", c.New.Issuer.String(), "until", c.New.NotAfter.UTC().Format(time.RFC3339), "notes", strings.Join(c.Notes, "; "))})
		return err
	}
}

// noticeCertificate records that another certificate is served than was, where
// it is not recorded yet: it was renewed by itself, or put in its place by hand. It returns the fingerprint that is served now.
func (a *Agent) noticeCertificate(certs *cert.Store, was string) string {
	is, err := certs.Fingerprint()
	if err != nil || is == was {
		return was
	}
	if a.lastCertificate() == is {
		return is // by this agent, or by a command
	}
	info, err := certs.Info()
	if err != nil || cert.Fingerprint(info.Certificate) != is {
		return was // it changes at this moment; the next look tells
	}
	how := "put in its place by hand"
	if info.Renewed {
		how = "renewed by itself"
	}
	doubts := strings.Join(certs.Doubts(info.Certificate), "; ")
	if _, err := a.Append(audit.Event{Type: audit.CertificateReplaced, Actor: "agent", Subject: is, Detail: details("old", was, "how", how,
		"subject", info.Subject.String(), "issuer", info.Issuer.String(), "until", info.NotAfter.UTC().Format(time.RFC3339), "notes", doubts)}); err != nil {
		a.opts.Log.Error("record the certificate of the web pages", "error", err)
		return was // and try again
	}
	a.opts.Log.Warn("the certificate of the web pages was replaced", "how", how, "certificate", is, "notes", doubts)
	return is
}

// lastCertificate is the one that was recorded last: a change is, before it
// counts.
func (a *Agent) lastCertificate() (print string) {
	for r, err := range audit.Read(a.root.Audit()) {
		if err != nil {
			return ""
		}
		if r.Type == audit.CertificateReplaced {
			print = r.Subject
		}
	}
	return print
}

func printOf(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return cert.Fingerprint(c)
}

// RequestCertificate implements [control.Pages].
func (a *Agent) RequestCertificate(_ context.Context, by control.Caller, s control.CertificateSubject) (control.CertificateRequest, error) {
	if err := a.mayChangePages(by, "request a certificate for the web pages"); err != nil {
		return control.CertificateRequest{}, err
	}
	r, err := a.certificates().Request(subject(s), func(r *cert.Request) error {
		_, err := a.Append(audit.Event{Type: audit.CertificateRequested, Actor: by.Actor(), Subject: requestPrint(r), Detail: details("subject", r.CSR.Subject.String(),
			"names", strings.Join(r.Names(), ", "), "key", r.Kind)})
		return err
	})
	if err != nil {
		return control.CertificateRequest{}, err
	}
	out := request(r)
	if by.Browser != "" {
		a.keyOut.offer(by.Browser, requestPrint(r), time.Now().Add(keyLife))
		out.Mine = true
	}
	return out, nil
}

// CertificateKey implements [control.Pages]. Root needs no hand-out: the key is
// in root's file.
func (a *Agent) CertificateKey(_ context.Context, by control.Caller) ([]byte, error) {
	if err := a.mayChangePages(by, "take the private key of the request"); err != nil {
		return nil, err
	}
	r, err := a.certificates().Waiting()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &policyError{"no request waits for a certificate, so that there is no private key to download"}
	}
	if err != nil {
		return nil, err
	}
	if !by.Trusted() && !a.keyOut.take(by.Browser, requestPrint(r), time.Now()) {
		return nil, &policyError{"the private key is given out once, within 10 minutes, and in the browser in which the request was made; it stays on this machine, where the certificate needs it"}
	}
	if _, err := a.Append(audit.Event{Type: audit.CertificateKeyTaken, Actor: by.Actor(), Subject: requestPrint(r)}); err != nil {
		return nil, err
	}
	return r.KeyPEM()
}

// ending is what there is to say about the end of the certificate.
func (a *Agent) ending() string {
	info, err := a.certificates().Info()
	if err != nil {
		return "" // there is none, or the pages say what is wrong with it
	}
	if text := info.Ending(time.Now()); text != "" {
		return text + "; see: remote-support cert --help"
	}
	return ""
}
