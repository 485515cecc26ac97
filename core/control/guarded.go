package control

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// Service is an API with its logins, its test and what is only the pages'.
type Service interface {
	API
	Logins
	Tester
	Pages
	Recorded
}

// Tester goes the way to the relay, and to where users prove who they are, step
// by step, and opens nothing (REQ B7). It is asked in process only.
type Tester interface {
	Test(ctx context.Context, by Caller, r OnRequest, fn func(Step)) error
}

// Step is one step of a test.
type Step struct {
	Name   string
	Detail string // what was seen
	Took   time.Duration
	Error  string // empty when it went well
	Hint   string // what to do about it
}

// Guarded is api as the socket shows it, for callers in the same process that
// act for somebody else: the web pages. Each call is admitted as the request
// would be that makes it, so that a browser can do what its login allows and
// no more.
//
// Every method is written out: one that is added to the interfaces does not get
// past this by being forgotten.
func Guarded(api Service) Service { return &guarded{api} }

type guarded struct{ api Service }

func (g *guarded) admit(by Caller, what string) error {
	if by.Trusted() {
		return nil
	}
	a, ok := g.api.(Admitter)
	if !ok {
		return forbidden(by)
	}
	return a.Admit(by, what)
}

// admitted calls f if the caller may.
func admitted[T any](g *guarded, by Caller, what string, f func() (T, error)) (T, error) {
	if err := g.admit(by, what); err != nil {
		var none T
		return none, err
	}
	return f()
}

func (g *guarded) Status(ctx context.Context, by Caller) (Status, error) {
	return admitted(g, by, "GET /v1/status", func() (Status, error) { return g.api.Status(ctx, by) })
}

func (g *guarded) Plugins(ctx context.Context, by Caller) ([]Plugin, error) {
	return admitted(g, by, "GET /v1/plugins", func() ([]Plugin, error) { return g.api.Plugins(ctx, by) })
}

func (g *guarded) DescribePlugin(ctx context.Context, by Caller, name string) (json.RawMessage, error) {
	return admitted(g, by, "GET /v1/plugins/{name}", func() (json.RawMessage, error) { return g.api.DescribePlugin(ctx, by, name) })
}

func (g *guarded) Reload(ctx context.Context, by Caller) (Reloaded, error) {
	return admitted(g, by, "POST /v1/reload", func() (Reloaded, error) { return g.api.Reload(ctx, by) })
}

func (g *guarded) Watch(ctx context.Context, by Caller, fn func(Event) error) error {
	if err := g.admit(by, "GET /v1/events"); err != nil {
		return err
	}
	return g.api.Watch(ctx, by, fn)
}

func (g *guarded) On(ctx context.Context, by Caller, r OnRequest) (Opened, error) {
	return admitted(g, by, "POST /v1/session/on", func() (Opened, error) { return g.api.On(ctx, by, r) })
}

func (g *guarded) Off(ctx context.Context, by Caller) (Ended, error) {
	return admitted(g, by, "POST /v1/session/off", func() (Ended, error) { return g.api.Off(ctx, by) })
}

func (g *guarded) Extend(ctx context.Context, by Caller, r ExtendRequest) (Session, error) {
	return admitted(g, by, "POST /v1/session/extend", func() (Session, error) { return g.api.Extend(ctx, by, r) })
}

func (g *guarded) Session(ctx context.Context, by Caller) (Session, error) {
	return admitted(g, by, "GET /v1/session", func() (Session, error) { return g.api.Session(ctx, by) })
}

func (g *guarded) Secret(ctx context.Context, by Caller, r SecretRequest) (Secret, error) {
	return admitted(g, by, "POST /v1/session/secret", func() (Secret, error) { return g.api.Secret(ctx, by, r) })
}

func (g *guarded) Connections(ctx context.Context, by Caller) ([]Connection, error) {
	return admitted(g, by, "GET /v1/connections", func() ([]Connection, error) { return g.api.Connections(ctx, by) })
}

func (g *guarded) Cut(ctx context.Context, by Caller, id string) error {
	if err := g.admit(by, "POST /v1/connections/{id}/cut"); err != nil {
		return err
	}
	return g.api.Cut(ctx, by, id)
}

func (g *guarded) Approve(ctx context.Context, by Caller, id string) (Connection, error) {
	return admitted(g, by, "POST /v1/connections/{id}/approve", func() (Connection, error) { return g.api.Approve(ctx, by, id) })
}

func (g *guarded) Deny(ctx context.Context, by Caller, id string) error {
	if err := g.admit(by, "POST /v1/connections/{id}/deny"); err != nil {
		return err
	}
	return g.api.Deny(ctx, by, id)
}

func (g *guarded) Live(ctx context.Context, by Caller, id string, fn func(Frame) error) error {
	if err := g.admit(by, "GET /v1/connections/{id}/live"); err != nil {
		return err
	}
	return g.api.Live(ctx, by, id, fn)
}

func (g *guarded) Test(ctx context.Context, by Caller, r OnRequest, fn func(Step)) error {
	if err := g.admit(by, "POST /v1/session/test"); err != nil {
		return err
	}
	return g.api.Test(ctx, by, r, fn)
}

func (g *guarded) Certificate(ctx context.Context, by Caller) (Certificate, error) {
	return admitted(g, by, "GET /v1/certificate", func() (Certificate, error) { return g.api.Certificate(ctx, by) })
}

func (g *guarded) UploadCertificate(ctx context.Context, by Caller, u CertificateUpload) (Certificate, error) {
	return admitted(g, by, "POST /v1/certificate/upload", func() (Certificate, error) { return g.api.UploadCertificate(ctx, by, u) })
}

func (g *guarded) SelfSignCertificate(ctx context.Context, by Caller, s CertificateSubject) (Certificate, error) {
	return admitted(g, by, "POST /v1/certificate/self-signed", func() (Certificate, error) { return g.api.SelfSignCertificate(ctx, by, s) })
}

func (g *guarded) RequestCertificate(ctx context.Context, by Caller, s CertificateSubject) (CertificateRequest, error) {
	return admitted(g, by, "POST /v1/certificate/request", func() (CertificateRequest, error) { return g.api.RequestCertificate(ctx, by, s) })
}

func (g *guarded) CertificateKey(ctx context.Context, by Caller) ([]byte, error) {
	return admitted(g, by, "POST /v1/certificate/key", func() ([]byte, error) { return g.api.CertificateKey(ctx, by) })
}

func (g *guarded) Restart(ctx context.Context, by Caller) error {
	if err := g.admit(by, "POST /v1/restart"); err != nil {
		return err
	}
	return g.api.Restart(ctx, by)
}

func (g *guarded) Recordings(ctx context.Context, by Caller) ([]Recording, error) {
	return admitted(g, by, "GET /v1/recordings", func() ([]Recording, error) { return g.api.Recordings(ctx, by) })
}

func (g *guarded) Recording(ctx context.Context, by Caller, id string, key []byte) (RecordingDetail, error) {
	return admitted(g, by, "GET /v1/recordings/{id}", func() (RecordingDetail, error) { return g.api.Recording(ctx, by, id, key) })
}

func (g *guarded) ReadRecording(ctx context.Context, by Caller, r RecordingRead, open func() io.Writer) error {
	if err := g.admit(by, "GET /v1/recordings/{id}/content"); err != nil {
		return err
	}
	return g.api.ReadRecording(ctx, by, r, open)
}

// Logins are open to everybody, here as on the socket.

func (g *guarded) LoginMethods(ctx context.Context, by Caller) ([]string, error) {
	return g.api.LoginMethods(ctx, by)
}

func (g *guarded) Login(ctx context.Context, by Caller, r LoginRequest, talk Conversation) (Ticket, error) {
	return g.api.Login(ctx, by, r, talk)
}

func (g *guarded) Logout(ctx context.Context, by Caller) (bool, error) { return g.api.Logout(ctx, by) }

func (g *guarded) WhoAmI(ctx context.Context, by Caller) (Ticket, error) {
	return g.api.WhoAmI(ctx, by)
}

func (g *guarded) WaitingLogins(ctx context.Context, by Caller) ([]WaitingLogin, error) {
	return g.api.WaitingLogins(ctx, by)
}

func (g *guarded) ConfirmLogin(ctx context.Context, by Caller, c Confirmation) (WaitingLogin, error) {
	return g.api.ConfirmLogin(ctx, by, c)
}
