package msg

import "time"

// The paths at which a relay accepts upgraded connections, and their queries.
const (
	PathLink    = "/v1/link"    // a system's control stream
	PathCarry   = "/v1/carry"   // a system's dial-back connection
	PathConnect = "/v1/connect" // an engineer's connection

	QueryMux       = "mux"       // of link, "1": the connection carries a yamux session
	QueryTicket    = "ticket"    // of carry; without it the connection is the spare
	QueryKeepalive = "keepalive" // of carry: seconds after which the relay should ping at the latest
	QuerySystem    = "system"    // of connect: id or name
)

// Version of the messages.
const Version = 1

// The times of the keepalive.
const (
	Interval = 20 * time.Second // between pings at the most
	Answer   = 10 * time.Second // until the pong, or the link is dead
	Patience = 30 * time.Second // without any message, then the other end is gone
)

// Message is one of the types of this package, as a pointer.
type Message interface {
	kind() string
	check() error
}

// Hello announces an open session: system to relay.
type Hello struct {
	V       int       `json:"v"`
	Session string    `json:"session"`
	Since   time.Time `json:"since"`
	Expires time.Time `json:"expires,omitzero"`
	Name    string    `json:"name,omitempty"` // of the system, as it calls itself
	Case    string    `json:"case,omitempty"`
}

// Welcome accepts a control stream: relay to system.
type Welcome struct {
	V    int    `json:"v"`
	Node string `json:"node,omitempty"` // of the relay
	Spread
	// Revoked is the number of the vendor's list of revoked certificates that the
	// relay has.
	Revoked uint64 `json:"revoked,omitempty"`
}

// Spread is over how many seconds those come back whose relay is gone without a
// word: the more there are, the longer.
type Spread struct {
	Seconds int `json:"spread,omitempty"`
}

// Ping wants a Pong with the same number.
type Ping struct {
	N uint64 `json:"n"`
}

// Pong answers a Ping. That of a relay has its spread as it is by now, and the
// number of the list as Welcome has it.
type Pong struct {
	N uint64 `json:"n"`
	Spread
	Revoked uint64 `json:"revoked,omitempty"`
}

// Bye says that the session has ended: system to relay.
type Bye struct {
	Reason string `json:"reason,omitempty"`
}

// Dial asks for a dial-back connection with the ticket: relay to system.
type Dial struct {
	Ticket     string `json:"ticket"`
	Connection string `json:"connection"`
}

// Replaced says that another control stream of this system took over.
type Replaced struct{}

// Drain says that the relay goes away and when to come back.
type Drain struct {
	RetryAfter int `json:"retry_after"` // seconds
}

// Refuse ends a control stream. Codes are those of core/relay/api.
type Refuse struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Start says whose bytes follow. It is the relay's word, for people to look
// at, and believed by nobody.
type Start struct {
	Connection string `json:"connection"`
	Node       string `json:"node,omitempty"`

	// To the system.
	Engineer string `json:"engineer,omitempty"`
	From     string `json:"from,omitempty"`

	// To the engineer.
	System  string    `json:"system,omitempty"`
	Session string    `json:"session,omitempty"`
	Since   time.Time `json:"since,omitzero"`
}

func (*Hello) kind() string    { return "hello" }
func (*Welcome) kind() string  { return "welcome" }
func (*Ping) kind() string     { return "ping" }
func (*Pong) kind() string     { return "pong" }
func (*Bye) kind() string      { return "bye" }
func (*Dial) kind() string     { return "dial" }
func (*Replaced) kind() string { return "replaced" }
func (*Drain) kind() string    { return "drain" }
func (*Refuse) kind() string   { return "refuse" }
func (*Start) kind() string    { return "start" }

// empty makes a message of a type.
func empty(kind string) Message {
	switch kind {
	case "hello":
		return new(Hello)
	case "welcome":
		return new(Welcome)
	case "ping":
		return new(Ping)
	case "pong":
		return new(Pong)
	case "bye":
		return new(Bye)
	case "dial":
		return new(Dial)
	case "replaced":
		return new(Replaced)
	case "drain":
		return new(Drain)
	case "refuse":
		return new(Refuse)
	case "start":
		return new(Start)
	}
	return nil
}
