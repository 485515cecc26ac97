package audit

import "time"

// Type names what happened, as `noun.verb` in lower case. The types are
// declared here so that readers of the log have one list.
type Type string

// The events that are recorded.
const (
	AgentStarted Type = "agent.started"
	AgentStopped Type = "agent.stopped"
	WebStarted   Type = "web.started" // the web pages are served at an address
	WebEnded     Type = "web.ended"   // and no longer

	CertificateReplaced  Type = "certificate.replaced"  // that of the web pages; both fingerprints, and how
	CertificateRequested Type = "certificate.requested" // a key and a request for one were made
	CertificateKeyTaken  Type = "certificate.key_taken" // somebody downloaded the private key of a request
	AgentRestarting      Type = "agent.restarting"      // somebody asked for it; agent.stopped follows

	SystemEnrolled  Type = "system.enrolled"
	KeyCreated      Type = "key.created"
	PolicyLoaded    Type = "policy.loaded"
	PolicyRefused   Type = "policy.refused"         // an action that policy denied
	PolicyBroken    Type = "policy.broken"          // files that do not load
	PolicyNoticed   Type = "policy.noticed"         // a file, a signer or a seal that was changed or is gone
	SystemSealed    Type = "system.sealed"          // remote access was disabled for good
	TrustDestroyed  Type = "system.trust_destroyed" // what remote access rested on is gone
	SealTold        Type = "system.seal_told"       // the relay knows that it is disabled for good
	PluginStarted   Type = "plugin.started"
	PluginExited    Type = "plugin.exited"
	PluginCrashed   Type = "plugin.crashed"
	PluginRefused   Type = "plugin.refused"
	PluginMisbehave Type = "plugin.misbehaved" // a descriptor or a message that was turned down
	PluginTrusted   Type = "plugin.trusted"    // a publisher's key was added, or taken away: see the detail
	PluginInstalled Type = "plugin.installed"  // or upgraded
	PluginRemoved   Type = "plugin.removed"
	SignerTrusted   Type = "signer.trusted" // somebody may sign policy files
	BundleCreated   Type = "bundle.created"
	BundleQueued    Type = "bundle.queued"
	BundleSent      Type = "bundle.sent"
	BundleDropped   Type = "bundle.dropped"
	BundleAsked     Type = "bundle.asked" // a request of the vendor was answered
	BundleFailed    Type = "bundle.failed"
	RelayStarted    Type = "relay.started"
	RelayStopped    Type = "relay.stopped"
	TokenCreated    Type = "token.created"
	TokenRefused    Type = "token.refused"
	SystemRetired   Type = "system.retired"
	EngineerAdded   Type = "engineer.added"
	EngineerRevoked Type = "engineer.revoked"
	BundleReceived  Type = "bundle.received"

	RevocationsPublished Type = "revocations.published" // at a relay: the vendor's list of revoked certificates
	RevocationsTaken     Type = "revocations.taken"     // by a system: a newer one counts
	RevocationsRefused   Type = "revocations.refused"   // older than the one that is known, forged, or another of its number
	BundleImported       Type = "bundle.imported"
	BundleRefused        Type = "bundle.refused"
	BundleFetched        Type = "bundle.fetched"
	UploadExpired        Type = "upload.expired"
	LoginOK              Type = "login.ok"      // somebody proved who he is; the evidence is in the detail
	LoginFailed          Type = "login.failed"  // the reason is in the detail, what was typed is not
	LoginLocked          Type = "login.locked"  // after too many wrong answers there is a long wait
	LoginEnded           Type = "login.ended"   // logged out
	LoginConsent         Type = "login.consent" // a second person agreed to somebody's login, or did not; the answer is in the detail
	LogRecovered         Type = "log.recovered" // a torn line of a crash precedes this record
	LogDamaged           Type = "log.damaged"   // the log does not reach its own head

	ProxyLoginKept      Type = "proxy.login_kept"      // credentials for a proxy, in the sealed store
	ProxyLoginForgotten Type = "proxy.login_forgotten" // they are gone from there

	SessionOpening   Type = "session.opening"   // somebody turned remote access on; the relay is not reached yet
	SessionOpened    Type = "session.opened"    // the tunnel is up: REQ E4 SUPPORT_SESSION_STARTED
	SessionExtended  Type = "session.extended"  // it ends later than was said
	SessionShortened Type = "session.shortened" // policy changed: it ends earlier than was said
	SessionExpiring  Type = "session.expiring"  // it ends soon; the time that is left is in the detail
	SessionEnded     Type = "session.ended"     // one for each session.opened, also after a crash: SUPPORT_SESSION_ENDED
	SessionRefused   Type = "session.refused"   // policy, or the relay, did not let it be opened
	SecretWrong      Type = "secret.wrong"      // an engineer, or the relay, tried a secret that is none
	SecretBurnt      Type = "secret.burnt"      // too many were wrong: the session has no secret until a new one is made
	SecretRenewed    Type = "secret.renewed"

	ConnectionRequested Type = "connection.requested" // an engineer waits for approval
	ConnectionApproved  Type = "connection.approved"  // somebody said yes; more may be needed
	ConnectionDenied    Type = "connection.denied"    // somebody said no, or nobody answered in time
	ConnectionOpened    Type = "connection.opened"    // SUPPORT_CONNECTED
	ConnectionEnrolled  Type = "connection.enrolled"  // an engineer gave the secret and opened nothing yet
	ConnectionClosed    Type = "connection.closed"    // one for each connection.opened: SUPPORT_DISCONNECTED
	ConnectionRefused   Type = "connection.refused"   // it did not get so far as to be opened
	ConnectionCut       Type = "connection.cut"       // the reason is in the detail; connection.closed follows
	ConnectionLost      Type = "connection.lost"      // its carrier is gone; it is kept for a while
	ConnectionResumed   Type = "connection.resumed"   // it goes on over another carrier
	ConnectionWatched   Type = "connection.watched"   // somebody of the customer looks on

	AccessShell      Type = "access.shell"
	AccessCommand    Type = "access.command"
	AccessFile       Type = "access.file"
	AccessForward    Type = "access.forward"
	AccessRefused    Type = "access.refused"
	RecordingOpened  Type = "recording.opened"  // somebody saw or took one, on the web pages or by a command; what, and which channel
	RecordingRemoved Type = "recording.removed" // by `recordings prune`
	RecordingFailed  Type = "recording.failed"
	LinkUp           Type = "link.up"
	LinkDown         Type = "link.down"
	LinkInspected    Type = "link.inspected" // somebody on the way opens TLS; the inner layer is what protects
	LinkReplaced     Type = "link.replaced"  // another process spoke to the relay as this system
)

// Event is what a caller reports. It must hold no secret: the log is readable
// by the customer's auditors and may be exported.
type Event struct {
	Type    Type              `json:"type"`
	Actor   string            `json:"actor"`             // who caused it: "uid:0(root)", "agent", "engineer:ada"
	Subject string            `json:"subject,omitempty"` // what it is about: a plugin, a bundle id
	Detail  map[string]string `json:"detail,omitempty"`
}

// Record is an event in the chain.
type Record struct {
	Seq  uint64    `json:"seq"` // from 1, without gaps
	Time time.Time `json:"time"`
	Event
	Prev string `json:"prev"` // Hash of the record before, or zeros
	Hash string `json:"hash"` // SHA-256 over the record without this field
}

// Recorder takes events. [*Log] is the one that counts. An error means that
// the event is not on disk: what it was to record must then not happen.
type Recorder interface {
	Append(Event) (Record, error)
}
