package challenge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/plugins/auth/challenge/code"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/failure"
)

// Name is the method's name.
const Name = "challenge"

// The facts by which a host names the challenge that it keeps. All or none are
// there.
const (
	FactHost   = "challenge.host"   // the system's id
	FactNonce  = "challenge.nonce"  // 32 hexadecimal digits
	FactIssued = "challenge.issued" // seconds since 1970
	FactAge    = "challenge.age"    // how long ago it was issued, by a clock that nobody sets: "90s"
	FactLife   = "challenge.life"   // for how much longer it is good: "28m30s"
)

// ownLife is how long a challenge is good that no host keeps.
const ownLife = 10 * time.Minute

// tries is how often a mistyped response is asked for.
const tries = 5

type settings struct {
	Keys string `config:"keys" required:"true" help:"the vendor's public keys, a line each: NAME [valid-after=\"20260101Z\",valid-before=\"20280101Z\"] ssh-ed25519 AAAA..., or @revoked ssh-ed25519 AAAA..."`

	keys *code.Keys
}

// Validate reads the keys.
func (s *settings) Validate() error {
	keys, err := code.ParseKeys(s.Keys)
	if err != nil {
		var p config.Problems
		p.Add("keys", "%v", err)
		return p
	}
	s.keys = keys
	return nil
}

// Method shows a challenge and checks the response.
type Method struct {
	settings settings
	now      func() time.Time
}

// New makes the method.
func New() *Method { return &Method{now: time.Now} }

// Help is a line for `describe`.
func (m *Method) Help() string {
	return "a challenge that the vendor's support answers; works without network and array"
}

// Config is where the host's settings go.
func (m *Method) Config() any { return &m.settings }

// Authenticate implements [auth.Method].
func (m *Method) Authenticate(ctx context.Context, req auth.Request, talk auth.Conversation) (auth.Identity, error) {
	c, age, life, err := m.challenge(req)
	if err != nil {
		return auth.Identity{}, auth.Errorf(auth.Config, "", "challenge: %w", err)
	}
	began := time.Now()
	for _, n := range []auth.Notice{
		{Label: "Give this challenge to support", Value: c.Text(), Expires: m.now().Add(life)},
		{Label: "To make sure that it is the same, compare", Value: c.Fingerprint()},
	} {
		if err := talk.Show(ctx, n); err != nil {
			return auth.Identity{}, err
		}
	}
	field := auth.Field{Name: "response", Label: "Response", Help: "what support answers; case and spaces do not matter"}
	for range tries {
		answers, err := talk.Ask(ctx, field)
		if err != nil {
			return auth.Identity{}, err
		}
		r, err := code.ParseResponse(answers.Text("response"))
		answers.Zero()
		var mistyped *code.Typo
		if errors.As(err, &mistyped) {
			field.Help = mistyped.Error() + "; this did not count as an attempt"
			if err := talk.Show(ctx, auth.Notice{Label: "Mistyped", Value: field.Help}); err != nil {
				return auth.Identity{}, err
			}
			continue
		}
		if err != nil {
			return auth.Identity{}, auth.Errorf(auth.BadLogin, "ask support for a response to this challenge", "%w", err)
		}
		return m.accept(c, r, age+time.Since(began), life-time.Since(began))
	}
	return auth.Identity{}, auth.Errorf(failure.Cancelled, "try again: the challenge is still good, and no attempt was used up", "the response was mistyped %d times", tries)
}

// accept decides about a response.
func (m *Method) accept(c code.Challenge, r *code.Response, age, life time.Duration) (auth.Identity, error) {
	if life <= 0 {
		return auth.Identity{}, auth.Errorf(auth.BadLogin, "start again and give support the new challenge", "the challenge has expired")
	}
	signer, err := m.settings.keys.Verify(c, r, m.now(), age)
	if err != nil {
		return auth.Identity{}, auth.Errorf(auth.BadLogin, hint(err), "%w", err)
	}
	evidence := map[string]string{
		"challenge": c.Fingerprint(), "engineer": r.Engineer, "key": signer.Name, "key_fingerprint": signer.Fingerprint,
	}
	if r.Case != "" {
		evidence["case"] = r.Case
	}
	if r.Longest > 0 {
		evidence["max_session"] = r.Longest.String()
	}
	return auth.Identity{User: "support:" + r.Engineer, Roles: []string{"admin"}, Method: Name, Evidence: evidence}, nil
}

func hint(err error) string {
	switch {
	case errors.Is(err, code.ErrOther):
		return "have support answer the challenge that is shown now"
	case errors.Is(err, code.ErrKeyTime):
		return "check the clock of this machine, and ask support which key is in use"
	case errors.Is(err, code.ErrRevoked), errors.Is(err, code.ErrUnknown):
		return "ask support which key was used, and compare it with the keys that are configured"
	case errors.Is(err, code.ErrExpired):
		return "have support answer a new challenge"
	}
	return "ask support to make the response again"
}

// challenge is the one that the host keeps, or one for this conversation.
func (m *Method) challenge(req auth.Request) (c code.Challenge, age, life time.Duration, err error) {
	c.Action = code.Login
	if req.Facts[FactNonce] == "" {
		c.Host, c.Issued = code.HostOf(req.Host), m.now().Truncate(time.Second)
		rand.Read(c.Nonce[:])
		return c, 0, ownLife, nil
	}
	nonce, err := hex.DecodeString(req.Facts[FactNonce])
	if err != nil || len(nonce) != len(c.Nonce) || req.Facts[FactHost] == "" {
		return c, 0, 0, errors.New("the host says no usable nonce or id")
	}
	issued, err := strconv.ParseInt(req.Facts[FactIssued], 10, 64)
	if err != nil {
		return c, 0, 0, errors.New("the host does not say when it was issued")
	}
	if age, err = time.ParseDuration(req.Facts[FactAge]); err != nil || age < 0 {
		return c, 0, 0, errors.New("the host does not say how old it is")
	}
	if life, err = time.ParseDuration(req.Facts[FactLife]); err != nil {
		return c, 0, 0, fmt.Errorf("the host does not say how long it is good")
	}
	c.Host, c.Nonce, c.Issued = code.HostOf(req.Facts[FactHost]), [16]byte(nonce), time.Unix(issued, 0)
	return c, age, life, nil
}
