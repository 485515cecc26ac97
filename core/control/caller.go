package control

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// Self is the caller of a process that asks its own agent implementation.
func Self() Caller {
	c := Caller{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid()), PID: int32(os.Getpid())}
	c.User = userName(c.UID)
	return c
}

func actor(c Caller) string {
	if c.Browser == "" {
		return fmt.Sprintf("uid:%d(%s)", c.UID, c.User)
	}
	if c.User == "" {
		return "web:" + c.From
	}
	return fmt.Sprintf("web:%s(%s)", c.From, c.User)
}

// nobody is the user of browsers, who has no rights on the machine.
const nobody = 65534

// OfBrowser is a caller of the web pages: session is known to the web server
// alone, user is as whom somebody has logged in there. uid and pid are what
// [LocalPeer] found.
func OfBrowser(session, user, from string, uid uint32, pid int32) Caller {
	return Caller{UID: uid, GID: nobody, PID: pid, User: user, Browser: session, From: from}
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

type callerKey struct{}

type peer struct {
	caller Caller
	err    error
}

// withPeer is the http.Server's ConnContext: it asks the kernel once per
// connection who is at the other end.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	caller, err := peerOf(c)
	return context.WithValue(ctx, callerKey{}, peer{caller, err})
}

func peerOf(c net.Conn) (Caller, error) {
	if g, ok := c.(*guest); ok {
		c = g.UnixConn
	}
	uc, ok := c.(*net.UnixConn)
	if !ok {
		return Caller{}, fmt.Errorf("peer credentials: %T is no unix socket", c)
	}
	raw, err := uc.SyscallConn()
	if err != nil {
		return Caller{}, fmt.Errorf("peer credentials: %w", err)
	}
	var cred *unix.Ucred
	var credErr error
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return Caller{}, fmt.Errorf("peer credentials: %w", err)
	}
	if credErr != nil {
		return Caller{}, fmt.Errorf("peer credentials: %w", credErr)
	}
	return Caller{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid, User: userName(cred.Uid)}, nil
}
