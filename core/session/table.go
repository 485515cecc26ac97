package session

import (
	"fmt"
	"strings"
)

// State is where remote access stands.
type State string

// The states.
const (
	Off       State = "off"       // nothing is open, no trust is in place
	Opening   State = "opening"   // switched on; the relay is not reached yet
	Open      State = "open"      // the tunnel is up, nobody is in
	Connected State = "connected" // at least one engineer is in
	Closing   State = "closing"   // nobody can enter any more; what runs is being ended
)

// States are all states, in the order of a session's life.
var States = []State{Off, Opening, Open, Connected, Closing}

// Event is what may happen to a session.
type Event string

// The events.
const (
	TurnOn     Event = "on"         // somebody who may has turned it on
	LinkUp     Event = "link up"    // the relay is reached, for the first time or again
	LinkDown   Event = "link down"  // the relay is lost; it is dialled again
	LinkFailed Event = "no link"    // the relay cannot be reached at first, or refuses for good
	Enter      Event = "enter"      // an engineer is let in
	Leave      Event = "leave"      // an engineer is gone, another one is still in
	LastLeave  Event = "last leave" // the last engineer is gone
	Extend     Event = "extend"     // its end is put off, or drawn near by policy
	TurnOff    Event = "off"        // somebody has turned it off
	Expire     Event = "expire"     // its time is up
	Cut        Event = "cut"        // policy, the seal or a fault ends it
	Restart    Event = "restart"    // the agent was started and finds it left over
	Resume     Event = "resume"     // as Restart, and policy and configuration let it go on
	Closed     Event = "closed"     // everything that it had started is ended
)

// Events are all events.
var Events = []Event{TurnOn, LinkUp, LinkDown, LinkFailed, Enter, Leave, LastLeave, Extend, TurnOff, Expire, Cut, Restart, Resume, Closed}

// step is one cell of the table: the next state, or why there is none.
type step struct {
	to State
	no string
}

func to(s State) step    { return step{to: s} }
func no(why string) step { return step{no: why} }

const (
	notOn    = "no session is open"
	already  = "a session is open already"
	noLink   = "the relay is not reached yet"
	ending   = "the session is being ended"
	nobody   = "nobody is in"
	notEnded = "the session was not ended first"
	alive    = "the agent did not restart"
)

// table is the life of a session. A row is a state, a column an event.
var table = map[State]map[Event]step{
	Off: {
		TurnOn: to(Opening), LinkUp: no(notOn), LinkDown: no(notOn), LinkFailed: no(notOn), Enter: no(notOn), Leave: no(notOn), LastLeave: no(notOn),
		Extend: no(notOn), TurnOff: no(notOn), Expire: no(notOn), Cut: no(notOn), Restart: to(Off), Resume: no(notOn), Closed: no(notOn),
	},
	Opening: {
		TurnOn: no(already), LinkUp: to(Open), LinkDown: to(Opening), LinkFailed: to(Closing), Enter: no(noLink), Leave: no(nobody), LastLeave: no(nobody),
		Extend: to(Opening), TurnOff: to(Closing), Expire: to(Closing), Cut: to(Closing), Restart: to(Closing), Resume: to(Opening), Closed: no(notEnded),
	},
	Open: {
		TurnOn: no(already), LinkUp: to(Open), LinkDown: to(Open), LinkFailed: to(Closing), Enter: to(Connected), Leave: no(nobody), LastLeave: no(nobody),
		Extend: to(Open), TurnOff: to(Closing), Expire: to(Closing), Cut: to(Closing), Restart: to(Closing), Resume: to(Opening), Closed: no(notEnded),
	},
	Connected: {
		TurnOn: no(already), LinkUp: to(Connected), LinkDown: to(Connected), LinkFailed: to(Closing), Enter: to(Connected), Leave: to(Connected), LastLeave: to(Open),
		Extend: to(Connected), TurnOff: to(Closing), Expire: to(Closing), Cut: to(Closing), Restart: to(Closing), Resume: to(Opening), Closed: no(notEnded),
	},
	Closing: {
		TurnOn: no(ending), LinkUp: to(Closing), LinkDown: to(Closing), LinkFailed: to(Closing), Enter: no(ending), Leave: to(Closing), LastLeave: to(Closing),
		Extend: no(ending), TurnOff: to(Closing), Expire: to(Closing), Cut: to(Closing), Restart: to(Closing), Resume: no(ending), Closed: to(Off),
	},
}

// Refused says that an event cannot happen in a state.
type Refused struct {
	State State
	Event Event
	Why   string
}

func (e *Refused) Error() string { return e.Why }

// Next looks up what an event does in a state. An error is a [*Refused].
func Next(s State, e Event) (State, error) {
	c, known := table[s][e]
	if !known {
		return s, &Refused{s, e, fmt.Sprintf("there is no event %q in the state %q", e, s)}
	}
	if c.no != "" {
		return s, &Refused{s, e, c.no}
	}
	return c.to, nil
}

// meanings explain the states and events in docs/SESSIONS.md.
var (
	stateMeans = map[State]string{
		Off:       "Nothing is open, nothing is trusted, nothing dials out.",
		Opening:   "Somebody who may has turned it on. The relay is being dialled; nobody can enter yet.",
		Open:      "The tunnel is up. An engineer who has the secret and a certificate of the vendor can ask to enter. A lost link is dialled again and the state stays.",
		Connected: "At least one engineer is in.",
		Closing:   "The secret is cleared and nobody can enter. Connections are cut, their processes ended, recordings closed.",
	}
	eventMeans = map[Event]string{
		TurnOn: "`remote-support on`, the web page, or the global switch", LinkUp: "the relay is reached, for the first time or again",
		LinkDown: "the relay is lost; it is dialled again", LinkFailed: "the relay cannot be reached at first, or refuses for good",
		Enter: "an engineer is let in", Leave: "an engineer is gone, another is still in", LastLeave: "the last engineer is gone",
		Extend: "its end is put off by somebody who may, or drawn near by policy", TurnOff: "somebody has turned it off",
		Expire: "its time is up, by whichever clock is first", Cut: "policy, the seal or a fault ends it",
		Restart: "the agent was started and finds it left over by a crash", Resume: "the same, and policy and configuration let it go on",
		Closed: "everything that it had started is ended",
	}
)

// Document writes docs/SESSIONS.md.
func Document() string {
	var b strings.Builder
	b.WriteString("# The life of a session\n\n<!-- Made from core/session/table.go: change the table there, and run go test ./core/session -update. -->\n\n")
	b.WriteString("Remote access is always in one of five states. Each change is on disk before it counts, and in the audit log.\n\n| state | meaning |\n|---|---|\n")
	for _, s := range States {
		fmt.Fprintf(&b, "| `%s` | %s |\n", s, stateMeans[s])
	}
	b.WriteString("\nWhat happens to a session, and the state it is in afterwards. A dash: this cannot happen there, and is refused.\n\n| event | meaning |")
	for _, s := range States {
		fmt.Fprintf(&b, " %s |", s)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(States)) + "\n")
	for _, e := range Events {
		fmt.Fprintf(&b, "| %s | %s |", e, eventMeans[e])
		for _, s := range States {
			next, err := Next(s, e)
			switch {
			case err != nil:
				b.WriteString(" - |")
			default:
				fmt.Fprintf(&b, " %s |", next)
			}
		}
		b.WriteString("\n")
	}
	b.WriteString(`
## When it ends

By two clocks, whichever is first: the time of day, and the time since the machine was started, suspend included, which nobody can set. Ten minutes and one
minute before the end it says so: to whoever watches, and in the engineers' terminals. It is no idle time-out; what is under way is cut.

## After a crash

A session that was open when the agent, or the machine, died is ended when the agent starts: its missing events are recorded, its recording is closed, leftovers of
its processes are killed. It goes on only where ` + "`REMOTE_SUPPORT_RESUME=\"yes\"`" + ` says so and policy does not forbid it (` + "`session.resume_after_restart`" + `), with a new
secret and for no longer than was left of it.
`)
	return b.String()
}
