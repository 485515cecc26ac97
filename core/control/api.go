package control

import (
	"context"
	"encoding/json"
	"os"
	"time"
)

// API is what can be asked of the agent. Every method gets the caller for the
// audit log and for policy.
type API interface {
	Status(ctx context.Context, by Caller) (Status, error)
	Plugins(ctx context.Context, by Caller) ([]Plugin, error)
	DescribePlugin(ctx context.Context, by Caller, name string) (json.RawMessage, error)
	Reload(ctx context.Context, by Caller) (Reloaded, error)
	// Watch calls fn for every event from now on, until ctx ends or fn
	// returns an error.
	Watch(ctx context.Context, by Caller, fn func(Event) error) error

	Remote
}

// Caller is who asks, as the kernel knows it, or the web server.
type Caller struct {
	UID, GID uint32
	PID      int32
	User     string // name of UID, or its number; of a browser, as whom it has logged in

	// Browser is the session of the web pages, of which nobody outside of this
	// process knows; empty for a local user. Only the web server sets it, in
	// process: a browser has no rights but those of its login.
	Browser string
	From    string // the browser's address
}

// Trusted reports whether the caller may do everything without a login: root,
// and the user that the agent runs as. No browser is.
func (c Caller) Trusted() bool {
	return c.Browser == "" && (c.UID == 0 || c.UID == uint32(os.Geteuid()))
}

// Actor is the caller's name in the audit log.
func (c Caller) Actor() string { return actor(c) }

// Status is the state of the system, told truthfully: what could not be found
// out is in Problems and not glossed over.
type Status struct {
	Version    string      `json:"version"`
	Agent      AgentStatus `json:"agent"`
	Remote     Access      `json:"remote_access"`
	Policy     Policy      `json:"policy"`
	System     System      `json:"system"`
	Queue      int         `json:"bundles_queued"`
	EventSinks []EventSink `json:"event_sinks,omitempty"`
	Hardware   *Hardware   `json:"hardware,omitempty"` // nil: nobody watches
	Problems   []string    `json:"problems,omitempty"`
	Noticed    []string    `json:"noticed,omitempty"` // what was changed about the policy files since somebody last loaded them; it is in force
}

// EventSink is how a sink of events stands.
type EventSink struct {
	Name    string    `json:"sink"`
	Record  uint64    `json:"delivered_up_to_record"`
	Waiting int       `json:"waiting"`
	Dropped uint64    `json:"dropped,omitempty"`
	Failing time.Time `json:"failing_since,omitzero"`
	Error   string    `json:"error,omitempty"`
}

// AgentStatus says whether `remote-support serve` runs.
type AgentStatus struct {
	Running bool      `json:"running"`
	PID     int       `json:"pid,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Web     string    `json:"web,omitempty"` // where the web pages are
}

// Access is the state of remote access.
type Access struct {
	Session
	Reason string `json:"reason,omitempty"` // why it cannot be turned on, or off
}

// Policy is what is in force.
type Policy struct {
	Files  int    `json:"files"`
	Hash   string `json:"hash"`
	Broken string `json:"broken,omitempty"` // the first mistake; then everything it guards is refused
}

// System is who this machine is to the vendor.
type System struct {
	ID       string `json:"id"`
	Enrolled bool   `json:"enrolled"`
	Vendor   string `json:"vendor,omitempty"`
	RSS      string `json:"rss,omitempty"`
}

// Plugin is one role of one plugin and whether it may run.
type Plugin struct {
	Plugin      string `json:"plugin"`
	Role        string `json:"role,omitempty"`
	Name        string `json:"name,omitempty"`
	Version     string `json:"version,omitempty"`
	Publisher   string `json:"publisher,omitempty"`
	SHA256      string `json:"sha256,omitempty"`
	Path        string `json:"path"`
	State       string `json:"state"` // in one word, see package catalog
	Allowed     bool   `json:"allowed"`
	Development bool   `json:"development,omitempty"` // this host does not know the checksum of the built-in plugins
	Sandbox     string `json:"sandbox,omitempty"`     // how well it is confined here
	Reason      string `json:"reason,omitempty"`      // why it is in this state
	Fix         string `json:"fix,omitempty"`         // what to do about it
}

// Reloaded says what a reload changed.
type Reloaded struct {
	PolicyHash string `json:"policy_hash"`
	Changed    bool   `json:"changed"`
}

// Event is something that a watcher sees at once.
type Event struct {
	Time    time.Time         `json:"time"`
	Type    string            `json:"type"`
	Actor   string            `json:"actor"`
	Subject string            `json:"subject,omitempty"`
	Detail  map[string]string `json:"detail,omitempty"`
}
