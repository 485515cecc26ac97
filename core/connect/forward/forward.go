package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Forward is one port of the workstation and where it leads.
type Forward struct {
	Listen string // host:port of the workstation
	Target string // host:port as the system sees it
}

func (f Forward) String() string { return f.Listen + " -> " + f.Target }

// Parse reads [ADDRESS:]PORT:HOST:PORT, as ssh -L has it. IPv6 addresses are in
// brackets. Port 0 takes a free one.
func Parse(s string) (Forward, error) {
	parts, err := split(s)
	if err != nil {
		return Forward{}, err
	}
	bind := "127.0.0.1"
	switch len(parts) {
	case 3:
	case 4:
		bind, parts = parts[0], parts[1:]
		if bind == "" || bind == "*" {
			return Forward{}, fmt.Errorf("forward %.100q: name the address to listen on; to open the port to everybody, write 0.0.0.0 or [::]", s)
		}
	default:
		return Forward{}, fmt.Errorf("forward %.100q: use PORT:HOST:PORT, as 8443:192.0.2.10:443", s)
	}
	if err := port(parts[0], true); err != nil {
		return Forward{}, fmt.Errorf("forward %.100q: %w", s, err)
	}
	if err := port(parts[2], false); err != nil {
		return Forward{}, fmt.Errorf("forward %.100q: %w", s, err)
	}
	if parts[1] == "" {
		return Forward{}, fmt.Errorf("forward %.100q: the host is missing", s)
	}
	return Forward{Listen: net.JoinHostPort(bind, parts[0]), Target: net.JoinHostPort(parts[1], parts[2])}, nil
}

// split cuts at colons that are in no brackets.
func split(s string) ([]string, error) {
	var parts []string
	for {
		var part string
		if rest, ok := strings.CutPrefix(s, "["); ok {
			in, after, closed := strings.Cut(rest, "]")
			if !closed || after != "" && after[0] != ':' {
				return nil, fmt.Errorf("forward: %.100q: a bracket is not closed", s)
			}
			part, s = in, after
		} else if i := strings.IndexByte(s, ':'); i >= 0 {
			part, s = s[:i], s[i:]
		} else {
			part, s = s, ""
		}
		parts = append(parts, part)
		if s == "" {
			return parts, nil
		}
		s = s[1:]
	}
}

func port(s string, zero bool) error {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 && !zero {
		return fmt.Errorf("%.20q is no port", s)
	}
	return nil
}

// Serve passes what connects to ln until ctx ends or the SSH connection does.
// report is called for each connection that could not be passed on; it may be
// called by several goroutines.
func Serve(ctx context.Context, client *ssh.Client, ln net.Listener, f Forward, report func(from net.Addr, err error)) error {
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	gone := make(chan error, 1)
	go func() {
		gone <- client.Wait()
		ln.Close()
	}()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			select {
			case err := <-gone:
				return &LostError{err}
			default:
			}
			if errors.Is(err, net.ErrClosed) {
				return &LostError{err}
			}
			return fmt.Errorf("listen on %s: %w", f.Listen, err)
		}
		running.Go(func() {
			if err := pass(ctx, client, conn, f.Target); err != nil {
				report(conn.RemoteAddr(), err)
			}
		})
	}
}

// LostError is an SSH connection that ended by itself.
type LostError struct{ Err error }

func (e *LostError) Error() string { return "the connection to the system ended" }

func (e *LostError) Unwrap() error { return e.Err }

func pass(ctx context.Context, client *ssh.Client, conn net.Conn, target string) error {
	defer conn.Close()
	far, err := client.DialContext(ctx, "tcp", target)
	if err != nil {
		var open *ssh.OpenChannelError
		if errors.As(err, &open) {
			return fmt.Errorf("%s: %s", target, open.Message)
		}
		return fmt.Errorf("%s: %w", target, err)
	}
	defer far.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close(); far.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { io.Copy(far, conn); closeWrite(far) })
	both.Go(func() { io.Copy(conn, far); closeWrite(conn) })
	both.Wait()
	return nil
}

// closeWrite tells the other end that no more is coming, so that answers to it
// still pass.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
		return
	}
	c.Close()
}
