package agent

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/login"
)

// Logins is how users prove who they are. Its settings are in the directory
// auth.d of the configuration.
func (a *Agent) Logins() (*login.Service, error) {
	// Where remote access was disabled for good nobody logs in, and nothing is
	// kept of who did.
	if err := a.sealedRefusal(); err != nil {
		return nil, err
	}
	name, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find the name of this machine: %w", err)
	}
	return login.New(login.Options{
		Dir: a.root.Var("login"), Config: a.root.Etc("auth.d"), System: a.system.ID(), Host: name, Audit: a,
		Relay: a.relayAddress,
		Open: func(method string, settings json.RawMessage) (login.Authenticator, error) {
			return a.host.Auth(method, host.Use{Config: settings, Purpose: "session"})
		},
	})
}

// relayAddress is the relay that is configured, "" if there is none.
func (a *Agent) relayAddress() string {
	if address := a.local()[localcfg.RSS]; address != "" {
		return address
	}
	vendor, err := a.system.Vendor()
	if err != nil {
		return ""
	}
	return vendor.RSS
}
