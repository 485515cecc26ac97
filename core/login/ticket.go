package login

import (
	"fmt"
	"strings"
	"time"
)

// How long a login holds, unless the method says less. In a browser somebody
// looks on for as long as a session lasts; what needs a fresh login asks how old
// his is (Ticket.Age).
const (
	TicketLife  = 15 * time.Minute
	BrowserLife = 8 * time.Hour
)

const maxTickets = 100

// Caller is who logs in, as the kernel or the web server knows him.
type Caller struct {
	UID  uint32
	User string // name of the local user
	// Session tells the browsers of the web pages apart; empty on the command
	// line.
	Session string
	Client  string // "cli", "web 10.0.0.7": for the plugin and the audit log
}

func (c Caller) key() string { return fmt.Sprintf("uid:%d/%s", c.UID, c.Session) }

// source is whose wrong answers are counted together. A browser can take a new
// session whenever it likes, but not a new address.
func (c Caller) source() string {
	if c.Session != "" {
		return "client:" + c.Client
	}
	return c.key()
}

func (c Caller) actor() string {
	if c.Session != "" {
		return strings.Replace(c.Client, " ", ":", 1)
	}
	return fmt.Sprintf("uid:%d(%s)", c.UID, c.User)
}

// root reports whether it is root on the machine itself, who needs no login.
func (c Caller) root() bool { return c.UID == 0 && c.Session == "" }

// Ticket says who a caller has proved to be. It holds nothing secret.
type Ticket struct {
	User       string            `json:"user"`
	Roles      []string          `json:"roles"`
	Method     string            `json:"method"`
	Evidence   map[string]string `json:"evidence,omitempty"`
	MaxSession time.Duration     `json:"max_session,omitempty"` // bounds the sessions that are opened with it; 0 does not
	Expires    time.Time         `json:"expires,omitzero"`      // zero for root, who has no ticket

	Age time.Duration `json:"-"` // how long ago he logged in; see [Service.Who]

	For  string        `json:"for,omitempty"`
	At   moment        `json:"at,omitzero"`
	Life time.Duration `json:"life,omitempty"`
}

func (t *Ticket) left(now moment) time.Duration {
	d, ok := t.At.elapsed(now)
	if !ok {
		return 0
	}
	return max(0, t.Life-d)
}

// life is how long a login of the caller holds.
func (c Caller) life() time.Duration {
	if c.Session != "" {
		return BrowserLife
	}
	return TicketLife
}

// root is the identity of root on the machine itself.
func root() Ticket {
	return Ticket{User: "root", Roles: []string{"root"}, Method: "root"}
}
