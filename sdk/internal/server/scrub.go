package server

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/latchstring/latchstring/sdk/config"
)

// minSecret is the shortest secret that is searched for: shorter ones are
// found in too many innocent words.
const minSecret = 4

// scrubber removes known secrets from text. It is the second belt: authors are
// told to keep secrets out of errors, and some will forget.
type scrubber struct {
	mu      sync.Mutex
	secrets []*config.Secret
}

// learn adds secrets to remove from now on, until the function is called.
func (s *scrubber) learn(secrets ...config.Secret) (forget func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := make(map[*config.Secret]bool, len(secrets))
	for _, secret := range secrets {
		added[&secret] = true
		s.secrets = append(s.secrets, &secret)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.secrets = slices.DeleteFunc(s.secrets, func(p *config.Secret) bool { return added[p] })
	}
}

// clean returns text with every known secret replaced, also where it is
// escaped for a URL or encoded in base64.
func (s *scrubber) clean(text string) string {
	if len(text) < minSecret {
		return text
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range s.secrets {
		raw := secret.Reveal()
		if len(raw) < minSecret {
			continue
		}
		inURL := strings.TrimPrefix(url.UserPassword("", raw).String(), ":")
		for _, form := range []string{raw, inURL, url.QueryEscape(raw), url.PathEscape(raw), base64.StdEncoding.EncodeToString([]byte(raw))} {
			text = strings.ReplaceAll(text, form, "[secret]")
		}
	}
	return text
}

// holds reports whether text holds one of the secrets.
func (s *scrubber) holds(text string) bool { return s.clean(text) != text }
