package hostile

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/link"
)

// Somebody else stands where the relay should be, or before it.
var between = []Case{
	{"impostor", "another server answers at the relay's address, with a certificate of its own", Refused, impostor},
	{"inspects-tls", "a box with the relay's TLS key opens TLS on the way and passes everything on", Noticed, inspects},
	{"forges-relay", "a box with the relay's TLS key, but not its other key, speaks as the relay", Refused, forgesRelay},
	{"passes-login-on", "uses what an engineer and a system signed to log in here for a login elsewhere", Refused, passesLogin},
	{"hands-out-another-vendor", "gives the engineer's program another authority than the one it knows", Refused, otherVendor},
}

// box is a server on loopback that ends TLS with a certificate.
func (w *world) box(cert tls.Certificate, serve func(net.Conn)) (string, func(), error) {
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}})
	if err != nil {
		return "", nil, untested{err}
	}
	ctx, cancel := context.WithCancel(w.ctx)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ctx, func() { c.Close() })
			go serve(c)
		}
	}()
	return ln.Addr().String(), func() { ln.Close(); cancel() }, nil
}

func impostor(w *world) (string, error) {
	_, cert, err := newAuthority("Somebody Else")
	if err != nil {
		return "", untested{err}
	}
	heard := make(chan int, 100)
	address, stop, err := w.box(cert, func(c net.Conn) {
		defer c.Close()
		n, _ := c.Read(make([]byte, 1024))
		heard <- n
	})
	if err != nil {
		return "", err
	}
	defer stop()
	if _, _, err := w.off(); err != nil {
		return "", err
	}
	w.lead(address)
	errSystem := w.on(w.request())
	conn, errEngineer := w.eng.dial(w.system)
	if errSystem == nil || errEngineer == nil {
		if conn != nil {
			conn.Abort("")
		}
		return "", fmt.Errorf("system: %v, engineer: %v", errSystem, errEngineer)
	}
	if s := w.state(); s.State != "off" {
		return "", fmt.Errorf("the session is %s", s.State)
	}
	for len(heard) > 0 {
		if <-heard > 0 {
			return "", errors.New("something was said to it")
		}
	}
	w.lead("")
	if err := w.on(w.request()); err != nil {
		return "", err
	}
	return "both refused before a word was said: " + errEngineer.Error(), w.honest()
}

func inspects(w *world) (string, error) {
	address, stop, err := w.box(w.relay.vendor.tls, func(near net.Conn) {
		defer near.Close()
		far, err := tls.Dial("tcp", w.address, &tls.Config{InsecureSkipVerify: true}) // it does not care
		if err != nil {
			return
		}
		defer far.Close()
		var both sync.WaitGroup
		both.Go(func() { io.Copy(far, near); far.CloseWrite() })
		both.Go(func() { io.Copy(near, far); near.Close() })
		both.Wait()
	})
	if err != nil {
		return "", err
	}
	defer stop()
	if _, _, err := w.off(); err != nil {
		return "", err
	}
	w.lead(address)
	if err := w.on(w.request()); err != nil {
		return "", err
	}
	if err := w.until("the audit log says that TLS is inspected", func() bool { return len(w.events(audit.LinkInspected)) > 0 }); err != nil {
		return "", err
	}
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	if !w.eng.seenBy(connect.Inspected) {
		return "", errors.New("the engineer is not told that TLS is inspected")
	}
	return "the audit log and the engineer's program say who opens TLS; inside, all stayed sealed", v.works()
}

func forgesRelay(w *world) (string, error) {
	key, err := newKey()
	if err != nil {
		return "", err
	}
	if _, _, err := w.off(); err != nil {
		return "", err
	}
	w.set(plan{sign: key})
	errSystem := w.on(w.request())
	conn, errEngineer := w.eng.dial(w.system)
	if errSystem == nil || errEngineer == nil {
		if conn != nil {
			conn.Abort("")
		}
		return "", fmt.Errorf("system: %v, engineer: %v", errSystem, errEngineer)
	}
	var forged *link.ForgedError
	if !errors.As(errEngineer, &forged) {
		return "", fmt.Errorf("the engineer is told something else: %w", errEngineer)
	}
	w.set(plan{})
	if err := w.on(w.request()); err != nil {
		return "", err
	}
	return "both refused: " + forged.Error(), w.honest()
}

func passesLogin(w *world) (string, error) {
	if err := w.honest(); err != nil {
		return "", err
	}
	w.relay.mu.Lock()
	logins := append([]login(nil), w.relay.logins...)
	w.relay.mu.Unlock()
	if len(logins) == 0 {
		return "", untested{errors.New("nobody logged in by a challenge")}
	}
	ca, _, err := newAuthority("Another Relay")
	if err != nil {
		return "", untested{err}
	}
	for _, l := range logins {
		key, err := identity.ParseKey(l.req.PublicKey)
		if err != nil {
			return "", err
		}
		check := func(statement []byte) error {
			return identity.Verify(key, identity.NamespaceRSS, strings.NewReader(string(statement)), []byte(l.req.Signature))
		}
		if err := check(api.LoginStatement(l.req.Kind, w.relay.vendor.pin(), l.req.Nonce)); err != nil {
			return "", untested{err}
		}
		if check(api.LoginStatement(l.req.Kind, api.PinOf(ca), l.req.Nonce)) == nil {
			return "", errors.New("the login is good at another relay")
		}
		if check(api.LoginStatement(api.KindSystem, w.relay.vendor.pin(), l.req.Nonce)) == nil && l.req.Kind != api.KindSystem {
			return "", errors.New("the login of an engineer is good as that of a system")
		}
	}
	return fmt.Sprintf("%d logins: each is signed for this relay and this kind, and does not hold elsewhere", len(logins)), nil
}

func otherVendor(w *world) (string, error) {
	ca, _, err := newAuthority("Somebody Else")
	if err != nil {
		return "", untested{err}
	}
	record := w.relay.vendor.record
	record.CACert = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
	w.set(plan{record: &record})
	if _, err = w.eng.client.Vendor(w.ctx); err == nil {
		return "", errors.New("the engineer's program takes another authority")
	}
	return "refused: " + err.Error(), w.after()
}
