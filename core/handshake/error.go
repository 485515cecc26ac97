package handshake

import (
	"encoding/json"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// Code says why there is no connection. The set is closed; [Error] has the words.
type Code string

// The codes.
const (
	CodeMalformed   Code = "malformed"   // not our protocol, or cut up
	CodeVersion     Code = "version"     // another version of the protocol
	CodeSystem      Code = "system"      // another system or session answered than was asked for
	CodeHostKey     Code = "host_key"    // not the host key that was seen before
	CodeSecret      Code = "secret"      // wrong secret, or somebody changed a message
	CodeBurnt       Code = "burnt"       // the secret was tried wrongly too often
	CodeBusy        Code = "busy"        // as many attempts are under way as are left
	CodeCertificate Code = "certificate" // the engineer's certificate is not accepted
	CodeEnrolment   Code = "enrolment"   // not known (any more): the secret is needed
	CodeClaim       Code = "claim"       // something else in the claim is not accepted
	CodeEnded       Code = "ended"       // the session is over
	CodeInternal    Code = "internal"    // the system could not do its part
	CodeDenied      Code = "denied"      // the customer or policy said no
	CodeStream      Code = "stream"      // no such stream to go on with
)

// Error is a handshake that did not come about.
type Error struct {
	Code Code
	Text string
	// Remote is set when the other side said so; Sealed, when it did after
	// both sides were sure of each other. A remote error that was not sealed may
	// have been written by anybody between.
	Remote, Sealed bool
	// Attempt is set on the system's side when a wrong secret was counted.
	Attempt bool
	// Seen is the other key, with [CodeHostKey].
	Seen ssh.PublicKey
}

func (e *Error) Error() string {
	switch {
	case e.Sealed:
		return "the system refused: " + e.Text
	case e.Remote:
		return "refused: " + e.Text + " (whoever is between could have said so, too)"
	}
	return e.Text
}

// LostError is a connection that broke while the two sides were making sure of
// each other. Nobody refused anything.
type LostError struct {
	// Guess is set when the secret was at stake by then: the system may have
	// counted an attempt, and can never learn that it was the right one.
	Guess bool
	err   error
}

func (e *LostError) Error() string {
	if e.Guess {
		return "the connection broke while the secret was being proved: " + e.err.Error()
	}
	return "the connection broke before anything was proved: " + e.err.Error()
}

func (e *LostError) Unwrap() error { return e.err }

// Hint says what to do.
func (e *LostError) Hint() string {
	if e.Guess {
		return "it may have cost one of the tries of the secret, which `remote-support status` shows to the customer; try again, and if it happens again, ask him for a new secret"
	}
	return "nothing is lost by it; try again"
}

// ExitCode is 3 for a refusal by policy or the customer, 4 for a check that did
// not hold.
func (e *Error) ExitCode() int {
	switch e.Code {
	case CodeDenied, CodeEnded, CodeBurnt:
		return 3
	case CodeBusy, CodeInternal, CodeStream:
		return 1
	}
	return 4
}

// Hint says what to do.
func (e *Error) Hint() string {
	switch e.Code {
	case CodeSecret:
		return "compare the secret with the customer by voice; when it is right, somebody sits between: do not try again over this relay"
	case CodeBurnt:
		return "ask the customer for a new one: remote-support secret new"
	case CodeBusy:
		return "try again in half a minute"
	case CodeHostKey, CodeSystem:
		return "connect anew with the secret that the customer gives you by voice"
	case CodeEnrolment:
		return "connect with the secret"
	case CodeCertificate:
		return "have the certificate renewed for this system: support certify"
	case CodeVersion:
		return "update the older of the two sides"
	}
	return ""
}

// Final reports that trying again the same way is of no use.
func (e *Error) Final() bool { return e.Code != CodeBusy && e.Code != CodeInternal }

func malformed(format string, args ...any) *Error {
	return &Error{Code: CodeMalformed, Text: "what arrived is not the handshake of Latchstring, or was changed on the way: " + fmt.Sprintf(format, args...)}
}

func refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...)}
}

// refusal is an Error on the wire.
type refusal struct {
	Code   Code   `json:"code"`
	Reason string `json:"reason"`
}

func (e *Error) wire() []byte {
	b, err := json.Marshal(refusal{Code: e.Code, Reason: cut(e.Text, 512)})
	if err != nil {
		return []byte(`{"code":"internal","reason":""}`)
	}
	return b
}

func parseRefusal(b []byte) *Error {
	var r refusal
	if err := strict(b, &r); err != nil {
		return malformed("a refusal that cannot be read")
	}
	if !known(r.Code) {
		return malformed("a refusal without a known reason")
	}
	return &Error{Code: r.Code, Text: clean(r.Reason, 512), Remote: true}
}

func known(c Code) bool {
	switch c {
	case CodeMalformed, CodeVersion, CodeSystem, CodeHostKey, CodeSecret, CodeBurnt, CodeBusy, CodeCertificate,
		CodeEnrolment, CodeClaim, CodeEnded, CodeInternal, CodeDenied, CodeStream:
		return true
	}
	return false
}
