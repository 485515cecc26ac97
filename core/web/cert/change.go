package cert

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/durable"
)

// chosen begins a file that somebody chose, so that it is never replaced by
// itself, whatever its certificate says. Readers of PEM pass over it.
const chosen = "# Chosen by an administrator; it is not replaced by itself.\n"

// Change is one certificate in the place of another.
type Change struct {
	Old   *x509.Certificate // nil if there was none that can be read
	New   *x509.Certificate
	How   string   // "uploaded", "uploaded for the request", "self-signed"
	Notes []string // what is not wrong, but worth to know
}

// Upload puts the certificate in a file into force. With anyName it need not be
// for a name of this system. record is called before it counts; its error
// prevents it.
func (s *Store) Upload(file []byte, anyName bool, record func(Change) error) (Change, error) {
	unlock, err := s.lock()
	if err != nil {
		return Change{}, err
	}
	defer unlock()
	now := s.now()
	p, err := parse(file)
	if err != nil {
		return Change{}, err
	}
	waiting, err := s.waiting()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Change{}, err
	}
	var ours []holder
	if waiting != nil {
		ours = append(ours, holder{waiting.key, "request"})
	}
	if old, err := s.load(); err == nil {
		if k, ok := old.PrivateKey.(crypto.Signer); ok {
			ours = append(ours, holder{k, "use"})
		}
	}
	leaf, held, err := pair(p, ours)
	if err != nil {
		return Change{}, err
	}
	if _, err := keyName(leaf.PublicKey); err != nil {
		return Change{}, err
	}
	if err := checkTimes(leaf, now, "the certificate of "+called(leaf)); err != nil {
		return Change{}, err
	}
	if err := checkPurpose(leaf); err != nil {
		return Change{}, err
	}
	c := Change{New: leaf, How: "uploaded"}
	if err := checkName(leaf, s.system()); err != nil {
		if !anyName {
			return Change{}, err
		}
		c.Notes = append(c.Notes, err.Error())
	}
	above, strange, err := chain(leaf, p.certs, now)
	if err != nil {
		return Change{}, err
	}
	c.Notes = append(c.Notes, remarks(leaf, above, strange)...)
	usesRequest := waiting != nil && samePublic(waiting.key.Public(), leaf.PublicKey)
	if usesRequest {
		c.How = "uploaded for the request"
	}
	if err := s.install(&c, held.key, above, record); err != nil {
		return Change{}, err
	}
	if usesRequest { // its key is in use now, and waits for nothing
		if err := s.forgetRequest(); err != nil {
			return c, err
		}
	}
	return c, nil
}

// remarks are what browsers will not like.
func remarks(leaf *x509.Certificate, above []*x509.Certificate, strange int) []string {
	var out []string
	if _, old := names(leaf); old {
		out = append(out, "it has no alternative names, which browsers of today go by; they will warn of it")
	}
	if strings.Contains(leaf.SignatureAlgorithm.String(), "SHA1") || strings.Contains(leaf.SignatureAlgorithm.String(), "MD5") {
		out = append(out, "it was signed by an algorithm that browsers do not accept any more, "+leaf.SignatureAlgorithm.String())
	}
	if !bytes.Equal(leaf.RawIssuer, leaf.RawSubject) && len(above) == 0 {
		out = append(out, "the certificates of the authorities between it and the root are not in the file; browsers that do not know them will warn of it")
	}
	if strange > 0 {
		out = append(out, fmt.Sprintf("%d certificates of the file do not belong to its chain, and are left out", strange))
	}
	return out
}

// SelfSign makes a self-signed certificate, good for two years, and puts it into
// force.
func (s *Store) SelfSign(subject Subject, record func(Change) error) (Change, error) {
	f, err := subject.check()
	if err != nil {
		return Change{}, err
	}
	unlock, err := s.lock()
	if err != nil {
		return Change{}, err
	}
	defer unlock()
	if len(subject.Names) == 0 { // it should do for every way to get here
		mine := slices.DeleteFunc(s.system(), func(n string) bool { return net.ParseIP(n) == nil && !hostName(n) })
		if err := f.alternative(mine); err != nil {
			return Change{}, err
		}
	}
	key, err := makeKey(f.kind)
	if err != nil {
		return Change{}, err
	}
	leaf, err := selfSigned(f, key, s.now(), 2*life)
	if err != nil {
		return Change{}, err
	}
	c := Change{New: leaf, How: "self-signed"}
	return c, s.install(&c, key, nil, record)
}

// install writes the file, records the change, and lets it count.
func (s *Store) install(c *Change, key crypto.Signer, above []*x509.Certificate, record func(Change) error) (err error) {
	if old, err := s.load(); err == nil {
		c.Old = old.Leaf
	}
	text := []byte(chosen)
	text, err = appendKey(text, key)
	defer func() { clear(text) }()
	if err != nil {
		return err
	}
	for _, x := range append([]*x509.Certificate{c.New}, above...) {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.Raw})...)
	}
	if _, err := tls.X509KeyPair(text, text); err != nil { // what cannot be served is not written
		return refuse(Readable, wanted, "the certificate cannot be served: %v", err)
	}
	f, err := os.CreateTemp(filepath.Dir(s.path), ".web.pem.new-*") // O_EXCL, 0600
	if err != nil {
		return fmt.Errorf("write the certificate of the web pages: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(text); err != nil {
		return fmt.Errorf("write the certificate of the web pages: %w", err)
	}
	if err = f.Sync(); err != nil {
		return fmt.Errorf("write the certificate of the web pages: %w", err)
	}
	if err = record(*c); err != nil {
		return err
	}
	return durable.Commit(f, s.path)
}

func appendKey(to []byte, key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return to, fmt.Errorf("write the key of the web pages: %w", err)
	}
	defer clear(der)
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	defer clear(text)
	return append(to, text...), nil
}

// patience is how long a change waits for that of another process.
const patience = 30 * time.Second

// lock keeps other changes away, of this process and of others.
func (s *Store) lock() (func(), error) {
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the certificate: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the certificate: %w", err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if time.Now().After(end) {
			f.Close()
			return nil, fmt.Errorf("another change of the certificate is under way: %w", err)
		}
	}
}
