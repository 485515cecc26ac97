package https

import (
	"encoding/base64"

	"github.com/Azure/go-ntlmssp"

	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/transport"
)

// ntlmLogin is NTLM version 2 in three legs on one connection ([MS-NLMP]).
type ntlmLogin struct {
	user     string
	password config.Secret
	leg      int
}

func (*ntlmLogin) name() string { return "NTLM" }

// bound: between the legs the proxy remembers the connection, not us.
func (n *ntlmLogin) bound() bool { return n.leg > 1 }

func (n *ntlmLogin) next(offers []offer) (string, error) {
	o, found := find(offers, "ntlm")
	n.leg++
	switch n.leg {
	case 1:
		// The domain here would be this machine's, not the user's.
		msg, err := ntlmssp.NewNegotiateMessage("", "")
		if err != nil {
			return "", transport.Errorf(transport.ProxyAuth, "", "begin the NTLM login: %w", err)
		}
		return "NTLM " + base64.StdEncoding.EncodeToString(msg), nil
	case 2:
		if !found || o.rest == "" {
			return "", errDenied
		}
		challenge, err := o.token()
		if err != nil {
			return "", err
		}
		msg, err := ntlmssp.NewAuthenticateMessage(challenge, n.user, n.password.Reveal(), nil)
		if err != nil {
			return "", transport.Errorf(transport.ProxyBroken, "", "answer the proxy's NTLM challenge: %w", err)
		}
		return "NTLM " + base64.StdEncoding.EncodeToString(msg), nil
	}
	return "", errDenied
}
