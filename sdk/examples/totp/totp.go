// Package totp is an example of an authentication method: the six digits of an
// authenticator app (RFC 6238).
package totp

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/config"
)

const (
	period = 30 // seconds that a code is good for
	skew   = 1  // periods that a clock may be off
)

// Method is the method. One code lets one user in once.
type Method struct {
	settings settings

	mu   sync.Mutex
	last int64 // the period of the last code that was taken
}

type settings struct {
	Secret config.Secret `config:"secret" required:"true" help:"what the authenticator app was set up with, base32"`
	User   string        `config:"user" default:"operator" help:"who holds the app"`
}

// Validate checks that the secret is base32.
func (s *settings) Validate() error {
	var p config.Problems
	if _, err := decode(s.Secret); err != nil {
		p.Add("secret", "want base32")
	}
	return p.Err()
}

// New makes the method.
func New() auth.Method { return new(Method) }

// Config and Help tell the host about the method.
func (m *Method) Config() any  { return &m.settings }
func (m *Method) Help() string { return "asks for the code of an authenticator app" }

// Authenticate asks for the code.
func (m *Method) Authenticate(ctx context.Context, _ auth.Request, talk auth.Conversation) (auth.Identity, error) {
	answers, err := talk.Ask(ctx, auth.Field{Name: "code", Label: "Code", Secret: true, Help: "six digits from the authenticator app"})
	if err != nil {
		return auth.Identity{}, err
	}
	defer answers.Zero()
	if !m.take(answers.Secret("code"), time.Now()) {
		return auth.Identity{}, auth.Errorf(auth.BadLogin, "wait for the next code, and check the clocks of both sides", "wrong code")
	}
	return auth.Identity{User: m.settings.User, Evidence: map[string]string{"factor": "totp"}}, nil
}

// take reports whether the code is good at this time, and was not used before.
func (m *Method) take(code config.Secret, now time.Time) bool {
	key, err := decode(m.settings.Secret)
	if err != nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := now.Unix() / period
	for t := at - skew; t <= at+skew; t++ {
		good := false
		code.Use(func(b []byte) { good = subtle.ConstantTimeCompare(b, []byte(digits(key, t))) == 1 })
		if good && t > m.last {
			m.last = t
			return true
		}
	}
	return false
}

func decode(s config.Secret) ([]byte, error) {
	return base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(strings.ToUpper(s.Reveal()), "="))
}

// digits is the code of a period (RFC 4226, section 5.3).
func digits(key []byte, period int64) string {
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(period)))
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[len(sum)-1]&0xf:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}
