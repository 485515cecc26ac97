package revoke

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/durable"
)

// Why a list is not taken that is signed as it should be.
var (
	ErrOlder = errors.New("it is older than the one that is known")
	ErrOther = errors.New("there is another list of the same number")
)

// Book is where a system keeps the list. Several processes may use it.
type Book struct{ path string }

// Open says where; there need not be anything yet.
func Open(path string) *Book { return &Book{path} }

// Path is the file.
func (b *Book) Path() string { return b.path }

// Current is the list that is known of this CA, nil when there is none. One of
// another CA counts as none: that is what a change of the vendor leaves.
func (b *Book) Current(ca ssh.PublicKey) (*List, error) {
	raw, err := b.Raw()
	if err != nil || raw == nil {
		return nil, err
	}
	l, err := Parse(raw, ca)
	if err != nil {
		return nil, nil
	}
	return l, nil
}

// Raw is the file, nil when there is none.
func (b *Book) Raw() ([]byte, error) {
	raw, err := os.ReadFile(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read list of revoked certificates: %w", err)
	}
	return raw, nil
}

// Take keeps a list that the CA signed and that is newer than the one there is.
// Changed is false when it is that one. The error wraps [ErrOlder] or [ErrOther]
// where the number does not go on; the list that is known stays.
func (b *Book) Take(raw []byte, ca ssh.PublicKey) (l *List, changed bool, err error) {
	if l, err = Parse(raw, ca); err != nil {
		return nil, false, err
	}
	lock, err := os.OpenFile(b.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("keep list of revoked certificates: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return nil, false, fmt.Errorf("keep list of revoked certificates: %w", err)
	}
	old, err := b.Current(ca)
	if err != nil {
		return nil, false, err
	}
	switch {
	case old == nil || l.Number > old.Number:
	case l.Number < old.Number:
		return nil, false, fmt.Errorf("list %d of revoked certificates: %w, which is %d", l.Number, ErrOlder, old.Number)
	case reflect.DeepEqual(l, old): // whoever carries it may wrap it in other spaces
		return old, false, nil
	default:
		return nil, false, fmt.Errorf("list %d of revoked certificates: %w", l.Number, ErrOther)
	}
	if err := durable.WriteFile(b.path, raw); err != nil {
		return nil, false, err
	}
	return l, true, nil
}
