package totp

import (
	"testing"
	"time"

	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

const secret = "JBSWY3DPEHPK3PXP"

func TestConformance(t *testing.T) {
	key, err := decode(config.NewSecret(secret))
	if err != nil {
		t.Fatal(err)
	}
	plugintest.Auth(t, New, plugintest.Options{
		Config: map[string]any{"secret": secret},
		Login: &plugintest.Login{
			Answers: map[string]string{"code": digits(key, time.Now().Unix()/period)}, User: "operator",
		},
		Skip: []string{"many-logins"}, // a code is good once
	})
}

// The vectors of RFC 6238, appendix B, cut to six digits.
func TestVectors(t *testing.T) {
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		if got := digits(key, at/period); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

func TestCodeIsGoodOnce(t *testing.T) {
	m := &Method{settings: settings{Secret: config.NewSecret(secret)}}
	key, _ := decode(m.settings.Secret)
	now := time.Unix(1_800_000_000, 0)
	code := config.NewSecret(digits(key, now.Unix()/period))
	if !m.take(code, now) {
		t.Error("the right code is refused")
	}
	if m.take(code, now) {
		t.Error("the same code is taken twice")
	}
	if m.take(config.NewSecret(digits(key, now.Unix()/period+5)), now) {
		t.Error("a code from the future is taken")
	}
}
