package control

import (
	"context"
	"time"
)

// Pages is what the web pages do about themselves. It is asked in process only;
// on the command line it is root's, who works on the same files.
type Pages interface {
	// Certificate is that of the pages, and the request that waits.
	Certificate(ctx context.Context, by Caller) (Certificate, error)
	// UploadCertificate puts another into force.
	UploadCertificate(ctx context.Context, by Caller, u CertificateUpload) (Certificate, error)
	// SelfSignCertificate makes one and puts it into force.
	SelfSignCertificate(ctx context.Context, by Caller, s CertificateSubject) (Certificate, error)
	// RequestCertificate makes a key and a request for a certificate.
	RequestCertificate(ctx context.Context, by Caller, s CertificateSubject) (CertificateRequest, error)
	// CertificateKey is the private key of the request that waits: once, for who
	// made it, and for a short while. It is the caller's to clear.
	CertificateKey(ctx context.Context, by Caller) ([]byte, error)
	// Restart ends an open session and starts the agent anew (REQ B11).
	Restart(ctx context.Context, by Caller) error
}

// Certificate is that of the web pages.
type Certificate struct {
	File        string    `json:"file"`
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	SelfSigned  bool      `json:"self_signed"`
	Names       []string  `json:"names"`
	Key         string    `json:"key"`   // what kind
	Chain       int       `json:"chain"` // certificates of authorities that are served with it
	From        time.Time `json:"from"`
	Until       time.Time `json:"until"`
	Fingerprint string    `json:"fingerprint"`       // SHA-256 of the certificate
	Renewed     bool      `json:"renewed"`           // it is replaced by itself before it ends
	Warning     string    `json:"warning,omitempty"` // it ends soon
	Notes       []string  `json:"notes,omitempty"`   // about the change that was made

	System  []string            `json:"system"` // names of this machine
	Request *CertificateRequest `json:"request,omitempty"`
}

// CertificateRequest is a request that waits for its certificate.
type CertificateRequest struct {
	Subject string    `json:"subject"`
	Names   []string  `json:"names"`
	Key     string    `json:"key"`
	Made    time.Time `json:"made"`
	PEM     string    `json:"pem"`
	Mine    bool      `json:"-"` // the caller may have its private key now, once
}

// CertificateUpload is a file that somebody chose.
type CertificateUpload struct {
	PEM     []byte
	AnyName bool // also if it is for no name of this system
}

// CertificateSubject is what somebody fills in.
type CertificateSubject struct {
	CommonName, Organization, Unit, Country, State string

	Names   []string // alternative names
	KeyType string   // empty: the usual one
}
