package policy

import (
	"fmt"
	"time"
)

// Action is something that policy is asked about. The list is closed: an
// action that is not declared here is denied.
type Action string

// The actions. Each names the facts it expects in its comment; a fact that is
// needed and missing denies.
const (
	BundleCreate   Action = "bundle.create"   // no facts
	BundleCollect  Action = "bundle.collect"  // Collector
	BundleSend     Action = "bundle.send"     // RSS, Bytes
	BundleWrite    Action = "bundle.write"    // Path: --output, carried by hand
	PluginLaunch   Action = "plugin.launch"   // Plugin, Role, Name, State, SHA256, Publisher, Sandbox
	HostOpen       Action = "host.open"       // Plugin, Path: a root-only file handed to a collector
	HostRun        Action = "host.run"        // Plugin, Command
	TransportDial  Action = "transport.dial"  // Transport, Address, Proxy
	SessionOpen    Action = "session.open"    // User, Method, Roles, RSS, Transport, Duration; MFA, Proxy and LoginAge where there is one
	SessionExtend  Action = "session.extend"  // User, Method, Roles, Duration: from the start of the session; LoginAge as above
	SessionClose   Action = "session.close"   // User
	ConnectAccept  Action = "connect.accept"  // Engineer; Case, From, Certificate, Approvers, RevocationsAge where known
	AccessShell    Action = "access.shell"    // Engineer, RunAs
	AccessCommand  Action = "access.command"  // Engineer, RunAs, Command
	AccessForward  Action = "access.forward"  // Engineer, Address
	AccessUpload   Action = "access.upload"   // Engineer, Path
	AccessFetch    Action = "access.download" // Engineer, Path
	SessionResume  Action = "session.resume"  // no facts: after a restart
	RecordingShare Action = "recording.share" // no facts: encrypt recordings to the vendor too
	NotifyDisable  Action = "notify.disable"  // Event: somebody wants it switched off
	WebServe       Action = "web.serve"       // Address: where the pages are to be served
)

// Fact names one thing that is known about a request.
type Fact string

// The facts that requests carry.
const (
	Collector Fact = "collector"
	RSS       Fact = "rss"
	Bytes     Fact = "bytes" // decimal
	Path      Fact = "path"
	Plugin    Fact = "plugin"
	Role      Fact = "role"
	Name      Fact = "name"
	State     Fact = "state" // a trust state of core/host
	SHA256    Fact = "sha256"
	Publisher Fact = "publisher"
	Sandbox   Fact = "sandbox" // the level that can be reached
	Command   Fact = "command"
	Transport Fact = "transport"
	Address   Fact = "address" // host:port
	Proxy     Fact = "proxy"
	User      Fact = "user"
	Method    Fact = "method"   // how the user logged in: root, infinibox, challenge, sso
	Roles     Fact = "roles"    // comma-separated: admin; root for uid 0 on the machine itself
	Duration  Fact = "duration" // as Go writes it; 0s asks for the longest that is allowed
	Engineer  Fact = "engineer"
	Case      Fact = "case"
	From      Fact = "from" // where an engineer comes from: the relay's word, which only takes away
	RunAs     Fact = "run_as"

	Certificate    Fact = "certificate"     // the words that name an engineer's, as in engineer.revoked, with spaces between
	RevocationsAge Fact = "revocations_age" // a duration: how long ago the vendor signed the list of revoked certificates that is known; absent without one

	Purpose   Fact = "purpose"   // of a plugin or a dial: bundle or session; absent when it may be either
	LoginAge  Fact = "login_age" // a duration: how long ago the user logged in; absent for root and for who is only asked about
	MFA       Fact = "mfa"       // true when the user proved a second factor
	Approvers Fact = "approvers" // comma-separated: who said yes to this connection
	Event     Fact = "event"     // a notification
	Time      Fact = "time"      // RFC 3339; absent means now. For explanations and tests
)

// Facts are what the enforcing code knows about a request.
type Facts map[Fact]string

// Source is the place of a rule in the policy files.
type Source struct {
	File   string `json:"file"`           // "built-in default" for what no file says
	Line   int    `json:"line,omitempty"` // from 1; 0 for the built-in default
	Column int    `json:"column,omitempty"`
}

func (s Source) String() string {
	if s.Line == 0 {
		return s.File
	}
	return fmt.Sprintf("%s:%d,%d", s.File, s.Line, s.Column)
}

// Rule is one line of policy that had a say in a decision.
type Rule struct {
	Key    string `json:"key"` // as written in the file, with its block: `bundle.max_size`
	Value  string `json:"value"`
	Source Source `json:"source"`
	Reason string `json:"reason,omitempty"` // the author's own reason, if the file gives one (reason = "...")
}

// Limits are the bounds under which an action is allowed. Zero means that
// policy sets no bound.
type Limits struct {
	MaxDuration time.Duration `json:"max_duration,omitempty"` // ns in JSON
	MaxBytes    int64         `json:"max_bytes,omitempty"`
	Until       time.Time     `json:"until,omitzero"` // when the last window closes; the session ends then, whatever its length
}

// Duties are what the enforcing code must do besides. They come with refusals
// too: a connection that was refused for want of approval says how many
// approvals would do.
type Duties struct {
	Approvals       int           `json:"approvals,omitempty"`        // how many different people must approve; 0 means nobody is asked
	ApprovalTimeout time.Duration `json:"approval_timeout,omitempty"` // no answer by then is a no
	Record          bool          `json:"record,omitempty"`           // what cannot be recorded must not happen
}

// Decision is the answer of [Policy.Decide]. It is a value that goes into the
// audit log, into refusals and into `remote-support policy explain`.
type Decision struct {
	Action  Action `json:"action"`
	Facts   Facts  `json:"facts"`
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason"`         // one sentence, lower case
	Rule    Rule   `json:"rule"`           // the rule that decided
	Also    []Rule `json:"also,omitempty"` // rules that refuse it as well: without all of them it is still refused
	Lost    []Rule `json:"lost,omitempty"` // rules that spoke about it and were less strict
	Limits  Limits `json:"limits,omitzero"`
	Duties  Duties `json:"duties,omitzero"`
}

// Err returns nil for an allowed action and a [*Refusal] otherwise.
func (d Decision) Err() error {
	if d.Allowed {
		return nil
	}
	return &Refusal{d}
}

// Refusal is a denied decision as an error. It names the file and line that
// decided (REQ G11).
type Refusal struct{ Decision Decision }

func (r *Refusal) Error() string {
	rule := r.Decision.Rule
	text := fmt.Sprintf("refused by policy: %s (%s = %s at %s)", r.Decision.Reason, rule.Key, rule.Value, rule.Source)
	if rule.Reason != "" {
		text += ": " + rule.Reason
	}
	return text
}

// ExitCode is the exit code of a command that ends with this refusal.
func (r *Refusal) ExitCode() int { return 3 }

// Decider is what enforcing packages ask. [*Policy] is the one that counts;
// tests bring their own.
type Decider interface {
	Decide(action Action, facts Facts) Decision
}
