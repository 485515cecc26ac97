package access

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/tunnel/nowait"
)

const dialTime = 15 * time.Second

// forwardRequest is the payload of direct-tcpip (RFC 4254, 7.2).
type forwardRequest struct {
	Host     string
	Port     uint32
	FromHost string
	FromPort uint32
}

// forward serves one direct-tcpip channel.
func (s *server) forward(number uint32, n ssh.NewChannel) {
	var req forwardRequest
	if err := ssh.Unmarshal(n.ExtraData(), &req); err != nil || req.Port == 0 || req.Port > 65535 {
		_ = n.Reject(ssh.ConnectionFailed, "the request is malformed")
		return
	}
	asked := net.JoinHostPort(req.Host, strconv.Itoa(int(req.Port)))
	ctx, cancel := context.WithTimeout(s.ctx, dialTime)
	defer cancel()
	found, err := resolve(ctx, req.Host)
	if err != nil {
		// Whether a name exists is told to nobody who may not connect to it.
		if d := s.decide(policy.AccessForward, policy.Facts{policy.Address: asked}); !d.Allowed {
			_ = n.Reject(ssh.Prohibited, s.deny(number, "forward to "+plain(asked), map[string]string{"address": asked}, d))
			return
		}
		_ = n.Reject(ssh.ConnectionFailed, plain(err.Error()))
		return
	}
	allowed, denied := s.reachable(req.Host, uint16(req.Port), found)
	if len(allowed) == 0 {
		_ = n.Reject(ssh.Prohibited, s.deny(number, "forward to "+plain(asked), map[string]string{"address": asked, "resolved": fmt.Sprint(found)}, denied))
		return
	}
	conn, err := dialFirst(ctx, allowed)
	if err != nil {
		_ = n.Reject(ssh.ConnectionFailed, plain(err.Error()))
		return
	}
	defer conn.Close()
	to := conn.RemoteAddr().String()
	note := record.Note{Channel: number, Kind: record.Forward, Address: to}
	if asked != to {
		note.Text = "asked for as " + asked
	}
	if err := errors.Join(s.ledger.audit(audit.AccessForward, map[string]string{"address": to, "asked": asked}), s.ledger.note(note)); err != nil {
		_ = n.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, err := n.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	go ssh.DiscardRequests(requests)
	stop := context.AfterFunc(s.ctx, func() { conn.Close() })
	defer stop()
	in, out := splice(channel, nowait.New(conn))
	_ = s.ledger.note(record.Note{Channel: number, Kind: record.Exit, Address: to, Text: fmt.Sprintf("forward ended: %d bytes to the address, %d from it", in, out)})
}

// resolve finds the addresses of a host, once: what is checked is what is dialled.
func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if host == "" || strings.ContainsAny(host, "%/ \x00") {
		return nil, fmt.Errorf("%q is no host", host)
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") { // no resolver is asked for what cannot differ
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{plainAddr(a)}, nil
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range all {
		all[i] = plainAddr(all[i])
	}
	return all, err
}

// plainAddr gives the one form of an address: to dial 0.0.0.0 is to dial
// 127.0.0.1, and ::ffff:127.0.0.1 is 127.0.0.1.
func plainAddr(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	switch a {
	case netip.IPv4Unspecified():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case netip.IPv6Unspecified():
		return netip.IPv6Loopback()
	}
	return a
}

// reachable leaves the addresses that policy allows. A name that policy lists
// vouches for where it leads to, but never for this machine itself: who answers
// for the name could say 127.0.0.1.
func (s *server) reachable(host string, port uint16, found []netip.Addr) (allowed []netip.AddrPort, denied policy.Decision) {
	byName := policy.Decision{}
	if _, err := netip.ParseAddr(host); err != nil {
		byName = s.decide(policy.AccessForward, policy.Facts{policy.Address: net.JoinHostPort(host, strconv.Itoa(int(port)))})
	}
	local := strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
	for _, a := range found {
		if !a.IsValid() || a.IsMulticast() {
			continue
		}
		to := netip.AddrPortFrom(a, port)
		d := s.decide(policy.AccessForward, policy.Facts{policy.Address: to.String()})
		outside := !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified()
		if d.Allowed || byName.Allowed && (outside || local) {
			allowed = append(allowed, to)
		} else {
			denied = d
		}
	}
	if denied.Action == "" {
		denied = policy.Decision{Action: policy.AccessForward, Reason: "the name leads to no address that can be dialled",
			Rule: policy.Rule{Key: "access.forward", Value: "denied", Source: policy.Source{File: "built-in default"}}}
	}
	return allowed, denied
}

func dialFirst(ctx context.Context, to []netip.AddrPort) (conn net.Conn, err error) {
	var d net.Dialer
	for _, a := range to {
		if conn, err = d.DialContext(ctx, "tcp", a.String()); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// splice carries bytes both ways until both ends are done, ends of streams too.
func splice(channel ssh.Channel, conn net.Conn) (in, out int64) {
	var sent atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		n, err := copyBytes(conn, channel)
		sent.Store(n)
		if c, ok := conn.(interface{ CloseWrite() error }); ok && err == nil {
			_ = c.CloseWrite()
		} else {
			conn.Close()
		}
	}()
	out, err := copyBytes(channel, conn)
	if err == nil || errors.Is(err, io.EOF) {
		_ = channel.CloseWrite()
	} else {
		channel.Close()
	}
	<-done
	return sent.Load(), out
}
