// Package auth is for authors of authentication methods: what finds out who
// the customer's user is that wants to let support in.
//
// # The one method
//
// A method implements [Method]: Authenticate, a conversation. It asks for what
// it needs, shows what the user must see, and ends with an [Identity] or an
// error. The host draws the questions, on a terminal or a web page.
//
//	func (m *pin) Authenticate(ctx context.Context, req auth.Request, talk auth.Conversation) (auth.Identity, error) {
//		answers, err := talk.Ask(ctx, auth.Field{Name: "pin", Label: "PIN", Secret: true})
//		if err != nil {
//			return auth.Identity{}, err
//		}
//		if !m.settings.PIN.Equal(answers.Secret("pin")) {
//			return auth.Identity{}, auth.Errorf(auth.BadLogin, "ask your administrator for the PIN", "wrong PIN")
//		}
//		return auth.Identity{User: "operator", Method: "pin"}, nil
//	}
//
// A method that implements [Prober] too shows in "Test Connection" whether
// somebody could log in.
//
// # What an identity holds
//
// Who it is and how that was found out; never a password, a token or an answer.
// All of it is audited. Whether that user may do what he wants is decided by
// the host's policy, not by the method.
package auth
