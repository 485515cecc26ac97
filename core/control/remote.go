package control

import (
	"context"
	"time"
)

// Remote is the part of the API about remote access. All of it needs a running
// agent: what was opened ends with it.
type Remote interface {
	// On turns remote access on. It returns when the tunnel is up, or says
	// which step failed; then nothing is open.
	On(ctx context.Context, by Caller, r OnRequest) (Opened, error)
	// Off ends the session, cuts every connection and returns when everything
	// that it had started is dead. That none was open is no error.
	Off(ctx context.Context, by Caller) (Ended, error)
	// Extend puts the end off by a length of time.
	Extend(ctx context.Context, by Caller, r ExtendRequest) (Session, error)
	// Session tells the state.
	Session(ctx context.Context, by Caller) (Session, error)
	// Secret shows the session's secret, or makes a new one.
	Secret(ctx context.Context, by Caller, r SecretRequest) (Secret, error)
	// Connections lists who is in, and who waits.
	Connections(ctx context.Context, by Caller) ([]Connection, error)
	// Cut ends a connection. It returns when its processes are dead.
	Cut(ctx context.Context, by Caller, id string) error
	// Approve and Deny answer a connection that waits.
	Approve(ctx context.Context, by Caller, id string) (Connection, error)
	Deny(ctx context.Context, by Caller, id string) error
	// Live calls fn with what an engineer sees, as it happens, until the
	// connection or ctx ends, or fn returns an error.
	Live(ctx context.Context, by Caller, id string, fn func(Frame) error) error
}

// OnRequest is what an administrator says to turn remote access on (REQ B1).
// Everything may be empty.
type OnRequest struct {
	For           string `json:"for,omitempty"` // as "8h"; empty: as long as policy lets it
	Case          string `json:"case,omitempty"`
	RSS           string `json:"rss,omitempty"`       // host:port; empty: as configured
	Transport     string `json:"transport,omitempty"` // name of a plugin; empty: what the proxy needs
	Proxy         string `json:"proxy,omitempty"`     // URL without a password; "none" for none although one is configured
	ProxyPassword []byte `json:"proxy_password,omitempty"`
	Bind          string `json:"bind,omitempty"`
	Secret        []byte `json:"secret,omitempty"` // empty: one is generated
}

// Opened answers On.
type Opened struct {
	Session Session  `json:"session"`
	Secret  string   `json:"secret,omitempty"` // the one that was generated, in groups
	Notes   []string `json:"notes,omitempty"`  // what the user should know besides
}

// Ended answers Off.
type Ended struct {
	WasOpen     bool   `json:"was_open"`
	Session     string `json:"session,omitempty"`
	Connections int    `json:"connections"` // how many were cut
}

// ExtendRequest says by how much.
type ExtendRequest struct {
	By string `json:"by"` // as "2h"
}

// SecretRequest asks for the secret of the session.
type SecretRequest struct {
	New   bool   `json:"new,omitempty"`   // make a new one; the old one is void
	Given []byte `json:"given,omitempty"` // take this one, with New
}

// Secret answers it.
type Secret struct {
	Secret    string   `json:"secret,omitempty"` // empty when it is the administrator's own, which is not shown, or burnt
	Usable    bool     `json:"usable"`
	TriesLeft int      `json:"tries_left"`
	Spoken    []string `json:"spoken,omitempty"` // the secret as it is read aloud, a line a group
	Own       bool     `json:"own,omitempty"`    // somebody chose it; it was not generated
}

// Session is the state of remote access.
type Session struct {
	State       string       `json:"state"` // off, opening, open, connected, closing
	ID          string       `json:"id,omitempty"`
	System      string       `json:"system,omitempty"` // as the vendor knows this system
	By          string       `json:"by,omitempty"`     // who turned it on
	Method      string       `json:"method,omitempty"` // and how he had logged in
	Case        string       `json:"case,omitempty"`
	Since       time.Time    `json:"since,omitzero"`
	Expires     time.Time    `json:"expires,omitzero"` // zero: no automatic expiry
	SecondsLeft int64        `json:"seconds_left,omitempty"`
	Standing    bool         `json:"standing,omitempty"` // on by the global switch
	RSS         string       `json:"rss,omitempty"`
	Way         string       `json:"way,omitempty"` // directly, or through which proxy
	Link        *Link        `json:"link,omitempty"`
	HostKey     string       `json:"host_key,omitempty"` // fingerprint, of this session: an engineer may want to compare it by voice
	SecretGood  bool         `json:"secret_good"`        // an engineer can still use it
	TriesLeft   int          `json:"tries_left,omitempty"`
	Connections []Connection `json:"connections,omitempty"`
}

// Link is the tunnel to the relay.
type Link struct {
	Up          bool      `json:"up"`
	Since       time.Time `json:"since,omitzero"`
	Error       string    `json:"error,omitempty"`        // why it is down
	InspectedBy string    `json:"inspected_by,omitempty"` // who on the way opens TLS
}

// The states of a connection.
const (
	ConnectionWaiting = "waiting" // for approval
	ConnectionOpen    = "open"
	ConnectionLost    = "lost" // its carrier is gone; it goes on when the engineer's program comes back
)

// Connection is one engineer's login in the session.
type Connection struct {
	ID       string    `json:"id"`
	State    string    `json:"state"`
	Engineer string    `json:"engineer"` // from his certificate
	Case     string    `json:"case,omitempty"`
	From     string    `json:"from,omitempty"` // as the relay says
	Since    time.Time `json:"since"`

	Needs     int       `json:"needs,omitempty"`     // how many people must approve
	Approvers []string  `json:"approvers,omitempty"` // who has
	Until     time.Time `json:"until,omitzero"`      // no answer by then is a no

	Bytes    int64 `json:"bytes"` // to the engineer and from him
	Commands int   `json:"commands"`
	Files    int   `json:"files"`
	Recorded bool  `json:"recorded"`
}

// Frame is a piece of what an engineer sees.
type Frame struct {
	Channel uint32 `json:"channel"`
	Data    []byte `json:"data"`
}
