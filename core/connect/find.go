package connect

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
)

// UnknownError says that the relay shows no such system to this engineer.
type UnknownError struct {
	Relay, System string
	Near          []string // names that contain it
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("relay %s shows you no system %.80q", e.Relay, e.System)
}

// Hint names those that are near.
func (e *UnknownError) Hint() string {
	if len(e.Near) > 0 {
		return "there is: " + strings.Join(e.Near, ", ")
	}
	return "see all that you may reach: support systems"
}

// NotOpenError says that the customer has not let anybody in.
type NotOpenError struct{ System string }

func (e *NotOpenError) Error() string { return e.System + " has no open session" }

// Hint says what to do.
func (e *NotOpenError) Hint() string {
	return "ask the customer to open one and to tell you its secret: remote-support on"
}

// Find finds a system by its exact name or its id, or by a serial number that no
// other has. It needs no open session.
func Find(ctx context.Context, relay *client.Client, nameOrID string) (api.System, error) {
	list, err := relay.Systems(ctx, nameOrID)
	if err != nil {
		return api.System{}, err
	}
	return pick(list, relay.Address(), nameOrID)
}

// systemName is how the relay's operator may name a system.
var systemName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// pick finds the system in what the relay says. Its names end in files, prompts
// and the configuration of ssh, where a line break or a path would be worth
// something: one that no relay of ours gives is as if it were not there.
func pick(list []api.System, relay, nameOrID string) (api.System, error) {
	unknown := &UnknownError{Relay: relay, System: nameOrID}
	var numbered []api.System
	for _, s := range list {
		if s.Retired || !identity.ValidID(s.ID) || !systemName.MatchString(s.Name) {
			continue
		}
		if s.ID == nameOrID || s.Name == nameOrID {
			return s, nil
		}
		if s.Serial != "" && s.Serial == nameOrID {
			numbered = append(numbered, s)
		}
		if len(unknown.Near) < 5 {
			unknown.Near = append(unknown.Near, s.Name)
		}
	}
	switch len(numbered) {
	case 0:
		return api.System{}, unknown
	case 1:
		return numbered[0], nil
	}
	return api.System{}, fmt.Errorf("%d systems have the serial number %s, among them %s and %s: use the name", len(numbered), nameOrID, numbered[0].Name, numbered[1].Name)
}
