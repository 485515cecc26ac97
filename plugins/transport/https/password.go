package https

import (
	"encoding/base64"
	"net/http"

	"github.com/icholy/digest"

	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/transport"
)

// basicLogin is RFC 7617: the password as it is.
type basicLogin struct {
	user     string
	password config.Secret
	tried    bool
}

func (*basicLogin) name() string { return "Basic" }
func (*basicLogin) bound() bool  { return false }

func (b *basicLogin) next([]offer) (string, error) {
	if b.tried {
		return "", errDenied
	}
	b.tried = true
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(b.user+":"+b.password.Reveal())), nil
}

// digestLogin is RFC 7616 with the algorithms that the library knows.
type digestLogin struct {
	user     string
	password config.Secret
	target   string
	tried    bool
}

func canDigest(o offer) bool {
	c, err := digest.ParseChallenge(o.whole)
	return err == nil && digest.CanDigest(c)
}

func (*digestLogin) name() string { return "Digest" }
func (*digestLogin) bound() bool  { return false }

func (d *digestLogin) next(offers []offer) (string, error) {
	// The first offer that we can answer is the proxy's favourite.
	for _, o := range offers {
		if o.scheme != "digest" || !canDigest(o) {
			continue
		}
		c, err := digest.ParseChallenge(o.whole)
		if err != nil {
			continue
		}
		if d.tried && !c.Stale {
			return "", errDenied
		}
		d.tried = true
		cred, err := digest.Digest(c, digest.Options{
			Method: http.MethodConnect, URI: d.target, Count: 1, Username: d.user, Password: d.password.Reveal(),
		})
		if err != nil {
			return "", transport.Errorf(transport.ProxyBroken, "", "answer the proxy's Digest challenge: %w", err)
		}
		return cred.String(), nil
	}
	return "", errDenied
}
