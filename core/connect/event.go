package connect

import (
	"fmt"
	"time"
)

// EventKind says what happened to a connection.
type EventKind string

// The kinds.
const (
	Waiting     EventKind = "waiting"     // the customer is asked; Text is why, Until how long
	Inspected   EventKind = "inspected"   // somebody between here and the relay ends TLS; Text is who
	Lost        EventKind = "lost"        // the connection was lost; it is made again until Until
	Resumed     EventKind = "resumed"     // it is there again, and nothing was lost
	Broke       EventKind = "broke"       // the connection broke before it was one, and is made once more; Text is how
	NewSession  EventKind = "new session" // not the one that an enrolment was for; Text is that
	Unwitnessed EventKind = "unwitnessed" // the recording's head was not counter-signed; Text is why
)

// Event is something that the engineer should hear of.
type Event struct {
	Kind  EventKind
	Text  string
	Until time.Time
}

// String is a line for the engineer.
func (e Event) String() string {
	until := ""
	if !e.Until.IsZero() {
		until = ", until " + e.Until.Local().Format("15:04")
	}
	switch e.Kind {
	case Waiting:
		if e.Text == "" {
			e.Text = "the customer's approval"
		}
		return "waiting for " + e.Text + until
	case Inspected:
		return fmt.Sprintf("TLS is inspected by %s; what you do stays encrypted end to end", e.Text)
	case Lost:
		return "the connection is lost; trying to make it again" + until
	case Resumed:
		return "connected again; nothing was lost"
	case Broke:
		return "the connection broke while it was being made; trying once more"
	case NewSession:
		return "session " + e.Text + " is not what answers now; if the customer has not turned remote access off and on since, call him before you give a secret"
	case Unwitnessed:
		return "the recording is not counter-signed: " + e.Text
	}
	return string(e.Kind)
}
