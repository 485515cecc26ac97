package login

import (
	"context"
	"errors"

	"github.com/latchstring/latchstring/core/host"
)

// SSO is the method of single sign-on.
const SSO = "sso"

// typedSSO, as the password of the array, asks for single sign-on instead. It is
// no password and goes to no array (REQ B4).
const typedSSO = "SSO"

// factRedirect tells the plugin to which address of the web pages the provider
// is to send the browser back.
const factRedirect = "sso.redirect"

// relayEvidence records that sessions opened with a ticket use the configured
// relay, whatever address is asked for.
const relayEvidence = "rss_address"

var errSSO = errors.New("single sign-on is asked for")

// wantsSSO reports whether a user asks for single sign-on where he was asked
// for his password. Nothing but these three letters does.
func (a *attempt) wantsSSO(answers map[string][]byte) bool {
	return a.how.Method == "infinibox" && string(answers["password"]) == typedSSO
}

// noteSSO tells the user what single sign-on does with the form that he has
// filled in.
func (a *attempt) noteSSO(ctx context.Context) error {
	if !a.how.typed {
		return nil
	}
	text := "SSO is no password, and was not sent to the array. " + ignored(a.s.relay())
	return a.talk.Show(ctx, host.Notice{Label: "Single sign-on", Value: text})
}

func (s *Service) relay() string {
	if s.opts.Relay == nil {
		return ""
	}
	return s.opts.Relay()
}

func ignored(configured string) string {
	text := "An RSS Address that you give is ignored; the configured one is used"
	if configured != "" {
		text += ": " + configured
	}
	return text + "."
}
