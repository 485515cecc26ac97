package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/internal/handoff"
	"github.com/latchstring/latchstring/sdk/needs"
)

// broker opens files and runs commands for one collector process: what its
// role declares, what the user asked for beside, and of that what policy
// allows.
type broker struct {
	host  *Host
	id    string
	needs needs.List

	mu       sync.Mutex
	include  []string // clean absolute paths that the user named
	refusals int
	last     uint64
	runs     map[uint64]*running
	closed   bool
}

var _ handoff.Broker = (*broker)(nil)

// maxRefusals bounds the records of one process's refused requests.
const maxRefusals = 20

func newBroker(h *Host, id string, list needs.List) *broker {
	return &broker{host: h, id: id, needs: list, runs: make(map[uint64]*running)}
}

// allow takes the paths that the user asked for beside the declared ones.
func (b *broker) allow(include []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.include = nil
	for _, p := range include {
		if filepath.IsAbs(p) {
			b.include = append(b.include, filepath.Clean(p))
		}
	}
}

// covers reports whether a file or directory is declared, or asked for.
func (b *broker) covers(path string, dir bool) bool {
	if b.needs.Path(path) || dir && dirDeclared(b.needs.Paths, path) {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.include {
		if path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/") {
			return true
		}
	}
	return false
}

// dirDeclared reports whether a directory is listed on the way to what the
// patterns name: it is in a declared tree, or above something that a wildcard
// stands for.
func dirDeclared(patterns []string, dir string) bool {
	have := elements(dir)
	for _, pattern := range patterns {
		want := elements(pattern)
		n := 0
		for n < len(have) && n < len(want) && want[n] != "**" {
			if ok, err := filepath.Match(want[n], have[n]); err != nil || !ok {
				break
			}
			n++
		}
		switch {
		case n < len(want) && want[n] == "**":
			return true
		case n == len(have) && strings.ContainsAny(strings.Join(want[n:], "/"), `*?[`):
			return true
		}
	}
	return false
}

func elements(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// Open opens a regular file, or a directory to be listed, for reading.
func (b *broker) Open(ctx context.Context, req handoff.OpenRequest) (*os.File, handoff.OpenReply, error) {
	var rep handoff.OpenReply
	path := req.Path
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || strings.ContainsRune(path, 0) {
		return nil, rep, b.refuse("open", path, "it is no clean absolute path")
	}
	if !b.covers(path, true) {
		return nil, rep, b.refuse("open", path, "the plugin has not declared that it needs it")
	}
	// A descriptor that only names the file: no device is touched, no FIFO
	// waits. What is decided next is decided on this very file.
	name, err := openPath(path)
	if err != nil {
		return nil, rep, pathError(err)
	}
	defer unix.Close(name)
	var st unix.Stat_t
	if err := unix.Fstat(name, &st); err != nil {
		return nil, rep, pathError(err)
	}
	self := fmt.Sprintf("/proc/self/fd/%d", name)
	real, err := os.Readlink(self)
	if err != nil {
		return nil, rep, pathError(err)
	}
	kind := st.Mode & unix.S_IFMT
	if kind != unix.S_IFREG && kind != unix.S_IFDIR {
		return nil, rep, b.refuse("open", path, "it is neither a file nor a directory")
	}
	if !b.covers(real, kind == unix.S_IFDIR) {
		return nil, rep, b.refuse("open", path, fmt.Sprintf("it leads to %s, which the plugin has not declared", real))
	}
	if err := b.permit(real); err != nil {
		return nil, rep, err
	}
	flags := unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY
	if kind == unix.S_IFDIR {
		flags |= unix.O_DIRECTORY
	}
	f, err := os.OpenFile(self, flags, 0)
	if err != nil {
		return nil, rep, pathError(err)
	}
	if real != path {
		rep.Path = real
	}
	return f, rep, nil
}

// openPath follows symbolic links, but not the magic ones of /proc, which lead
// anywhere.
func openPath(path string) (int, error) {
	fd, err := unix.Openat2(unix.AT_FDCWD, path, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_MAGICLINKS,
	})
	if errors.Is(err, unix.ENOSYS) { // before Linux 5.6: the check of where it led must do
		fd, err = unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	}
	return fd, err
}

// permit asks policy about a file, and keeps the host's own process to itself.
func (b *broker) permit(real string) error {
	if strings.HasPrefix(real, fmt.Sprintf("/proc/%d/", os.Getpid())) {
		return b.refuse("open", real, "it is of the process that asks for it, not of the plugin's")
	}
	d := b.host.opt.Policy.Decide(policy.HostOpen, policy.Facts{policy.Plugin: b.id, policy.Path: real})
	if err := d.Err(); err != nil {
		b.note("open", real, err.Error())
		return &handoff.RemoteError{Code: handoff.CodeDenied, Message: err.Error()}
	}
	return nil
}

// refuse makes the answer to a request that is not granted, and records it.
func (b *broker) refuse(verb, what, why string) error {
	b.note(verb, what, why)
	return &handoff.RemoteError{Code: handoff.CodeDenied, Message: "refused: " + why}
}

func (b *broker) note(verb, what, why string) {
	b.mu.Lock()
	b.refusals++
	n := b.refusals
	b.mu.Unlock()
	if n <= maxRefusals {
		b.host.record(pluginRefused, b.id, catalog.Plugin{}, "asked", verb+" "+what, "reason", why)
	}
}

// pathError is why a file could not be opened, without the path that the host
// used: the plugin knows what it asked for.
func pathError(err error) error {
	code := handoff.CodeFailed
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = handoff.CodeNotFound
	case errors.Is(err, fs.ErrPermission):
		code = handoff.CodeDenied
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &handoff.RemoteError{Code: code, Message: err.Error()}
}
