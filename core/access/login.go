package access

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"
)

// config is the SSH server's. AES-GCM comes first, because processors do it in
// hardware; the client's order decides in the end. The key exchange is safe
// against a quantum computer of later where the client knows it.
func (s *server) config() *ssh.ServerConfig {
	c := &ssh.ServerConfig{
		Config: ssh.Config{
			KeyExchanges: []string{ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519, ssh.KeyExchangeECDHP256, ssh.KeyExchangeECDHP384},
			Ciphers:      []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305, ssh.CipherAES256CTR},
			MACs:         []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM},
		},
		MaxAuthTries:      20, // an agent may offer all its keys first
		ServerVersion:     "SSH-2.0-Latchstring",
		PublicKeyCallback: s.login,
		AuthLogCallback: func(c ssh.ConnMetadata, method string, err error) {
			if err != nil && !errors.Is(err, ssh.ErrNoAuth) {
				s.Log.Info("login refused", "connection", s.Peer.Connection, "method", method, "error", err)
			}
		},
	}
	if s.Banner != "" {
		c.BannerCallback = func(ssh.ConnMetadata) string { return s.Banner }
	}
	c.AddHostKey(s.HostKey)
	return c
}

// login accepts one key: the certificate that the handshake bound. What the
// client shows must be the same to the byte, for it may be another certificate
// of the same key, with more rights or a longer life.
func (s *server) login(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	shown, ok := key.(*ssh.Certificate)
	if !ok {
		return nil, errors.New("a key without a certificate")
	}
	if !bytes.Equal(shown.Marshal(), s.Peer.Certificate.Marshal()) {
		return nil, errors.New("not the certificate that this connection was made with")
	}
	if err := valid(shown, time.Now()); err != nil {
		return nil, err
	}
	return &ssh.Permissions{}, nil
}

func valid(c *ssh.Certificate, now time.Time) error {
	at := uint64(now.Unix())
	switch {
	case c.CertType != ssh.UserCert:
		return errors.New("not a certificate for users")
	case at < c.ValidAfter:
		return errors.New("the certificate is not valid yet")
	case at >= c.ValidBefore && c.ValidBefore != ssh.CertTimeInfinity:
		return fmt.Errorf("the certificate expired at %s", time.Unix(int64(c.ValidBefore), 0).UTC().Format(time.RFC3339))
	}
	return nil
}
