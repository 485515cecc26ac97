package disable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/access"
	"github.com/latchstring/latchstring/core/buildconfig"
	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/localcfg"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/session"
)

// item is one thing that remote access rests on.
type item struct {
	name    string
	destroy func() (was bool, err error)
}

// The names of what is destroyed, as people read them.
const (
	supportKey = "the vendor's key for engineers"
	logins     = "settings and keys of logins"
	tickets    = "logins and challenges"
	history    = "the record of the session and the memory of secrets"
	keyLines   = "keys in authorized_keys"
)

// items are in the order of what they could still do. What is gone for good no
// enrolment brings back.
func (o Options) items(good bool) []item {
	return []item{
		{supportKey, func() (bool, error) { return forget(o.Root, o.System, good) }},
		{keyLines, func() (bool, error) {
			n, err := access.Distrust(runAs(o.Root), "")
			return n > 0, err
		}},
		{logins, func() (bool, error) { return wipe(o.Root.Etc("auth.d"), nil) }},
		{tickets, func() (bool, error) { return wipe(o.Root.Var("login"), locks) }},
		{history, func() (bool, error) { return wipe(filepath.Dir(o.Root.Session()), keepSession(o.Root)) }},
	}
}

// Left names what is still there although the system is sealed. It is empty on
// one that is not.
func Left(root paths.Root, system *identity.System) []string {
	if !seal.Check(root).Sealed {
		return nil
	}
	var left []string
	if v, err := system.Vendor(); err == nil && v.SupportCA != "" {
		left = append(left, supportKey)
	}
	for name, there := range map[string][]string{
		logins:  files(root.Etc("auth.d"), nil),
		tickets: files(root.Var("login"), locks),
		history: files(filepath.Dir(root.Session()), keepSession(root)),
	} {
		if len(there) > 0 {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	return left
}

func forget(root paths.Root, s *identity.System, good bool) (bool, error) {
	if s == nil {
		// Without the identity nobody can be let in either: opening a session
		// begins with it.
		return false, fmt.Errorf("the identity in %s cannot be opened", root.Identity())
	}
	v, err := s.Vendor()
	was := err == nil && v.SupportCA != ""
	if !good {
		return was, s.DropSupport()
	}
	return was, s.ForgetSupport()
}

// runAs is the user in whose file the backend openssh puts keys.
func runAs(root paths.Root) string {
	e, err := buildconfig.Current(root)
	if err != nil {
		return ""
	}
	return e.Local[localcfg.RunAs].Value
}

// locks are files that hold nothing and that others may hold.
func locks(name string) bool { return name == "lock" || strings.HasSuffix(name, ".lock") }

// keepSession keeps the record of a session that is not over: the agent ends it
// first, with the events that are missing (REQ E5). It holds no secret.
func keepSession(root paths.Root) func(string) bool {
	return func(name string) bool {
		if name != filepath.Base(root.Session()) {
			return locks(name)
		}
		r, err := session.Peek(root.Session())
		return err == nil && r.State != session.Off
	}
}

// files lists the files below dir, without those that keep says.
func files(dir string, keep func(name string) bool) []string {
	var out []string
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && (keep == nil || !keep(d.Name())) {
			out = append(out, path)
		}
		return nil
	})
	return out
}

// wipe removes the files below dir, and overwrites what was in them. A disk that
// copies on write may keep old blocks.
func wipe(dir string, keep func(name string) bool) (was bool, err error) {
	var errs []error
	dirs := map[string]bool{}
	for _, path := range files(dir, keep) {
		if err := wipeFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
			continue
		}
		was, dirs[filepath.Dir(path)] = true, true
	}
	for d := range dirs {
		errs = append(errs, durable.SyncDir(d))
	}
	return was, errors.Join(errs...)
}

func wipeFile(path string) error {
	// What cannot be opened for writing (a link, a socket) is removed only.
	if f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0); err == nil {
		if st, err := f.Stat(); err == nil && st.Mode().IsRegular() && links(st) == 1 {
			_, _ = f.Write(make([]byte, min(st.Size(), 4<<20)))
			_ = f.Sync()
		}
		f.Close()
	}
	return os.Remove(path)
}

// links is how many names a file has: one with another name is somebody else's
// too.
func links(st os.FileInfo) uint64 {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 0
}

// prove writes the proof where none is, or one of another record.
func (o Options) prove() (seal.Proof, error) {
	if o.System == nil {
		return seal.Proof{}, errors.New("prove the seal: there is no key to sign with")
	}
	p := seal.ProofOf(o.Root)
	text, err := os.ReadFile(p.Statement)
	if err == nil && string(text) == string(seal.Check(o.Root).Record.Statement()) {
		if sig, err := os.ReadFile(p.Signature); err == nil && identity.Verify(o.System.PublicKey(), seal.Namespace, strings.NewReader(string(text)), sig) == nil {
			return p, nil
		}
	}
	return seal.Prove(o.Root, o.System, o.steps())
}

func list(words []string) string { return strings.Join(words, "; ") }
