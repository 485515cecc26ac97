package api

import (
	"time"

	"github.com/latchstring/latchstring/core/identity"
)

// The paths of the HTTP API.
const (
	PathHealth    = "/healthz"
	PathEnroll    = "/v1/enroll"
	PathChallenge = "/v1/auth/challenge"
	PathToken     = "/v1/auth/token"
	PathSystems   = "/v1/systems"
	PathVendor    = "/v1/vendor"   // engineers: the record that systems pin
	PathBundles   = "/v1/bundles"  // engineers: list
	PathUpload    = "/v1/bundles/" // systems: tus
)

// ReceiptPath and ContentPath belong to one bundle.
func ReceiptPath(id string) string { return PathUpload + id + "/receipt" }

// ContentPath is where an engineer fetches the bytes of a bundle.
func ContentPath(id string) string { return PathUpload + id + "/content" }

// The keys of Upload-Metadata.
const (
	MetaSHA256   = "sha256"   // obligatory: hexadecimal SHA-256 of the whole bundle
	MetaFilename = "filename" // obligatory: for people
	MetaAnchor   = "anchor"   // head of the system's audit log: "SEQ HASH"
	MetaCase     = "case"     // the support case, for people
)

// Kind says who logs in.
type Kind string

// The kinds.
const (
	KindSystem   Kind = "system"
	KindEngineer Kind = "engineer"
)

// Health answers GET /healthz.
type Health struct {
	Status  string    `json:"status"` // "ok"
	Name    string    `json:"name"`
	Version int       `json:"version"` // of this API
	Time    time.Time `json:"time"`
}

// Version of this API.
const Version = 1

// EnrollRequest asks to enrol the system that has PublicKey.
type EnrollRequest struct {
	Secret    string `json:"secret"`     // of the token
	PublicKey string `json:"public_key"` // authorized_keys line
	Hostname  string `json:"hostname"`   // for people
	Signature string `json:"signature"`  // over EnrollStatement, by PublicKey
}

// EnrollResponse gives the system its id and the record it pins.
type EnrollResponse struct {
	System string          `json:"system"` // the id
	Name   string          `json:"name"`
	Vendor identity.Vendor `json:"vendor"`
}

// ChallengeResponse holds a nonce to be signed; see [LoginStatement].
type ChallengeResponse struct {
	Nonce   string    `json:"nonce"`
	Expires time.Time `json:"expires"`
	Time    time.Time `json:"time"` // of the relay, to find a wrong clock
}

// TokenRequest logs in.
type TokenRequest struct {
	Kind      Kind   `json:"kind"`
	Nonce     string `json:"nonce"`
	PublicKey string `json:"public_key"`
	Signature string `json:"signature"` // over LoginStatement
}

// TokenResponse holds the bearer token of a login.
type TokenResponse struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
	Subject string    `json:"subject"` // system id or engineer name
}

// System is an enrolled system, as engineers see it.
type System struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Hostname   string    `json:"hostname"`
	Serial     string    `json:"serial,omitempty"` // of the array or machine, as the relay's operator says
	PublicKey  string    `json:"public_key"`
	EnrolledAt time.Time `json:"enrolled_at"`
	LastSeen   time.Time `json:"last_seen,omitzero"`
	Retired    bool      `json:"retired,omitempty"` // replaced or removed; cannot log in
	Groups     []string  `json:"groups,omitempty"`  // engineers of one of these reach it
	Sealed     *Sealed   `json:"sealed,omitempty"`  // remote access was disabled for good
	Session    *Session  `json:"session,omitempty"` // of the moment; nil while none is open
}

// Bundle is a bundle that the relay has accepted.
type Bundle struct {
	ID         string        `json:"id"`
	System     string        `json:"system"`
	SystemName string        `json:"system_name"`
	Filename   string        `json:"filename"`
	Case       string        `json:"case,omitempty"`
	Size       int64         `json:"size"`
	SHA256     string        `json:"sha256"`
	ReceivedAt time.Time     `json:"received_at"`
	Anchor     string        `json:"anchor,omitempty"`
	Via        string        `json:"via"` // "upload" or "import"
	Receipt    SignedReceipt `json:"receipt"`
}

// SystemList answers GET /v1/systems.
type SystemList struct {
	Systems []System `json:"systems"`
}

// BundleList answers GET /v1/bundles.
type BundleList struct {
	Bundles []Bundle `json:"bundles"`
}
