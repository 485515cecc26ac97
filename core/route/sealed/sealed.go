package sealed

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/paths"
)

const (
	header  = "latchstring proxy logins 1\n" // bound to what follows
	maxSize = 1 << 20
)

// Store is the file. It is safe to use by several processes.
type Store struct{ path, key string }

// Entry is what may be shown of a login.
type Entry struct {
	Proxy string    `json:"proxy"` // scheme://host:port
	User  string    `json:"user"`
	Since time.Time `json:"since"`
}

// login is what is kept.
type login struct {
	Entry
	Password []byte `json:"password"`
}

// Open is the store below root. Nothing is made before the first Put.
func Open(root paths.Root) *Store {
	return &Store{path: root.Var("proxy", "logins.sealed"), key: filepath.Join(root.Identity(), "proxy.key")}
}

// Put keeps the login for a proxy, scheme://host:port, in the place of an
// earlier one.
func (s *Store) Put(proxy, user string, password []byte) error {
	if proxy == "" || user == "" || len(password) == 0 {
		return errors.New("keep the login of a proxy: proxy, user and password are all needed")
	}
	return s.change(func(all []login) ([]login, error) {
		all = slices.DeleteFunc(all, func(l login) bool { return l.Proxy == proxy })
		all = append(all, login{Entry{proxy, user, time.Now().UTC().Truncate(time.Second)}, slices.Clone(password)})
		slices.SortFunc(all, func(a, b login) int { return strings.Compare(a.Proxy, b.Proxy) })
		return all, nil
	})
}

// Forget removes the login for a proxy; it reports whether there was one.
func (s *Store) Forget(proxy string) (had bool, err error) {
	if _, err := os.Stat(s.path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	err = s.change(func(all []login) ([]login, error) {
		left := slices.DeleteFunc(all, func(l login) bool { return l.Proxy == proxy })
		had = len(left) < len(all)
		return left, nil
	})
	return had, err
}

// List shows what is kept, without passwords.
func (s *Store) List() ([]Entry, error) {
	all, err := s.read()
	defer wipe(all)
	entries := []Entry{}
	for _, l := range all {
		entries = append(entries, l.Entry)
	}
	return entries, err
}

// Login implements route.Logins.
func (s *Store) Login(proxy string) (user string, password []byte, found bool, err error) {
	all, err := s.read()
	defer wipe(all)
	for _, l := range all {
		if l.Proxy == proxy {
			return l.User, slices.Clone(l.Password), true, err
		}
	}
	return "", nil, false, err
}

func wipe(all []login) {
	for _, l := range all {
		clear(l.Password)
	}
}

// damaged is a file that cannot be opened with this system's key.
func (s *Store) damaged(why string) error {
	return fmt.Errorf("the logins of proxies in %s cannot be opened: %s; remove the file, and keep them anew with `remote-support proxy set`", s.path, why)
}

// read opens the file; there is nothing in one that does not exist.
func (s *Store) read() ([]login, error) {
	data, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the logins of proxies: %w", err)
	}
	key, err := os.ReadFile(s.key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.damaged("their key " + s.key + " is gone")
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of the logins of proxies: %w", err)
	}
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, s.damaged("the key " + s.key + " is damaged")
	}
	sealed, ok := bytes.CutPrefix(data, []byte(header))
	if !ok || len(sealed) < aead.NonceSize() || len(sealed) > maxSize {
		return nil, s.damaged("it is no such file")
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(header))
	if err != nil {
		return nil, s.damaged("it was changed, or belongs to another system")
	}
	defer clear(plain)
	var all []login
	if err := json.Unmarshal(plain, &all); err != nil {
		return nil, s.damaged("it is of another version")
	}
	return all, nil
}

// change rewrites the file, one process at a time.
func (s *Store) change(f func([]login) ([]login, error)) error {
	for _, dir := range []string{filepath.Dir(s.path), filepath.Dir(s.key)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("keep the login of a proxy: %w", err)
		}
	}
	lock, err := os.OpenFile(s.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("keep the login of a proxy: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("keep the login of a proxy: %w", err)
	}
	all, err := s.read()
	defer wipe(all)
	if err != nil {
		return err
	}
	if all, err = f(all); err != nil {
		return err
	}
	key, err := s.ownKey()
	if err != nil {
		return err
	}
	defer clear(key)
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return s.damaged("the key " + s.key + " is damaged")
	}
	plain, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("keep the login of a proxy: %w", err)
	}
	defer clear(plain)
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	if err := durable.WriteFile(s.path, aead.Seal(append([]byte(header), nonce...), nonce, plain, []byte(header))); err != nil {
		return fmt.Errorf("keep the login of a proxy: %w", err)
	}
	return nil
}

// ownKey reads the key, and makes it on first use. The caller holds the lock.
func (s *Store) ownKey() ([]byte, error) {
	key, err := os.ReadFile(s.key)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, chacha20poly1305.KeySize)
	rand.Read(key)
	if err := durable.WriteFile(s.key, key); err != nil {
		return nil, fmt.Errorf("make the key of the logins of proxies: %w", err)
	}
	return key, nil
}
