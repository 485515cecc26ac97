package connect

import (
	"fmt"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/handshake"
)

// A KeyChange is a key that a system shows and that is not the one by which it
// was known: it was installed anew, or somebody stands between. Only the customer
// can tell which.
type KeyChange struct {
	Name     string // of the system
	What     string // whose key
	Old, New string // fingerprints, or ids that are made of keys
	Where    string // how the customer finds his
}

// Notice is what an engineer must read before he goes on.
func (k KeyChange) Notice() string {
	return fmt.Sprintf("THE KEY OF %s HAS CHANGED\n"+
		"  %s\n"+
		"  known until now:  %s\n"+
		"  shown now:        %s\n"+
		"Either it was installed anew, or SOMEBODY STANDS BETWEEN you and the system.\n"+
		"Call the customer, on a number that you know. Have him read: %s\n"+
		"Go on only if what he reads is what is shown now, letter by letter. If it is not, give no secret and report it.", k.Name, k.What, k.Old, k.New, k.Where)
}

// NewKeyError says that a key has changed and that nobody has said that this is
// right.
type NewKeyError struct {
	Change KeyChange
	err    error
}

func (e *NewKeyError) Unwrap() error { return e.err }

func (e *NewKeyError) Error() string {
	return fmt.Sprintf("the key of %s has changed: it was %s and is %s; it was installed anew, or somebody stands between", e.Change.Name, e.Change.Old, e.Change.New)
}

// ExitCode is that of a check that did not hold.
func (e *NewKeyError) ExitCode() int { return 4 }

// Hint says what to do.
func (e *NewKeyError) Hint() string {
	return "compare it with the customer by voice (" + e.Change.Where + "), and only if it is the same: support ssh --accept-new-key " + e.Change.Name
}

// accept asks whether a host key that has changed within a session is right, and
// pins it then.
func (d *dialer) accept(e *Enrolment, h *handshake.Error) error {
	old, _, _, _, err := ssh.ParseAuthorizedKey([]byte(e.HostKey))
	if err != nil {
		return fmt.Errorf("enrolment of %s: its host key: %w", d.Name, err)
	}
	change := KeyChange{
		Name: d.Name, What: "the host key of session " + e.Session + ", which does not change while the session lasts", Old: ssh.FingerprintSHA256(old), New: ssh.FingerprintSHA256(h.Seen),
		Where: "`host key` in remote-support status",
	}
	if d.NewKey == nil {
		return &NewKeyError{change, h}
	}
	if err := d.NewKey(change); err != nil {
		return err
	}
	d.expected = h.Seen
	return nil
}
