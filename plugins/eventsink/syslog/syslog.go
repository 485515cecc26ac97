package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/latchstring/latchstring/plugins/internal/trust"
	"github.com/latchstring/latchstring/plugins/transport/tcp"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the sink's name.
const Name = "syslog"

type settings struct {
	Address     string        `config:"address" required:"true" help:"host or host:port of the syslog server; ports are 514, and 6514 for TLS"`
	Protocol    string        `config:"protocol" default:"tcp" oneof:"udp,tcp,tls" help:"udp, tcp with octet counting, or tls"`
	CA          string        `config:"ca" help:"PEM certificates that the server's must chain to, instead of the system's"`
	Pin         string        `config:"pin" help:"SHA-256 of the server's certificate instead"`
	Certificate string        `config:"certificate" help:"PEM certificate to show to the server"`
	Key         config.Secret `config:"key" help:"its key, PEM"`
	Facility    int           `config:"facility" default:"13" help:"facility of RFC 5424, by number; 13 is log audit"`
	Hostname    string        `config:"hostname" help:"name of this machine in messages; by default its own"`
	App         string        `config:"app_name" default:"latchstring" help:"APP-NAME of messages"`
	MaxSize     int           `config:"max_size" default:"8192" help:"longest message in bytes; over UDP 2048 counts where it is less"`
	Timeout     time.Duration `config:"timeout" default:"15s" help:"how long one delivery may take"`
}

// Validate checks what the tags cannot say.
func (s *settings) Validate() error {
	var p config.Problems
	if _, port, err := net.SplitHostPort(s.address()); err != nil || !number(port, 1, 65535) {
		p.Add("address", "write it as host or host:port")
	}
	if s.Facility < 0 || s.Facility > 23 {
		p.Add("facility", "want 0 to 23")
	}
	if s.MaxSize < 480 || s.MaxSize > 64<<10 {
		p.Add("max_size", "want 480 to 65536")
	}
	if s.Timeout <= 0 {
		p.Add("timeout", "it must be more than nothing")
	}
	if s.Protocol != "tls" && (s.CA != "" || s.Pin != "" || s.Certificate != "") {
		p.Add("protocol", "certificates need tls")
	}
	if s.CA != "" {
		if err := trust.CheckCA(s.CA); err != nil {
			p.Add("ca", "%v", err)
		}
	}
	if s.Pin != "" {
		if _, err := trust.ParsePin(s.Pin); err != nil {
			p.Add("pin", "%v", err)
		}
	}
	if s.Certificate != "" {
		if _, err := tls.X509KeyPair([]byte(s.Certificate), []byte(s.Key.Reveal())); err != nil {
			p.Add("certificate", "it and key are no pair in PEM form")
		}
	}
	return p.Err()
}

func number(s string, from, to int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= from && n <= to
}

func (s *settings) address() string {
	if _, _, err := net.SplitHostPort(s.Address); err == nil {
		return s.Address
	}
	port := "514"
	if s.Protocol == "tls" {
		port = "6514"
	}
	return net.JoinHostPort(s.Address, port)
}

// Sink sends events to a syslog server.
type Sink struct{ settings settings }

// New makes the sink.
func New() *Sink { return &Sink{} }

// Help is a line for `describe`.
func (s *Sink) Help() string { return "a syslog server: RFC 5424 over UDP, TCP or TLS" }

// Config is where the host's settings go.
func (s *Sink) Config() any { return &s.settings }

// Needs declares the server's port, which only the settings know.
func (s *Sink) Needs() needs.List {
	return needs.List{Ports: []string{"*"}, Paths: tcp.ResolverPaths()}
}

// Deliver implements [eventsink.Sink].
func (s *Sink) Deliver(ctx context.Context, e eventsink.Event) error {
	f := from{facility: s.settings.Facility, host: s.settings.Hostname, app: s.settings.App, pid: "-", limit: s.settings.MaxSize}
	if f.host == "" {
		f.host, _ = os.Hostname()
	}
	if s.settings.Protocol == "udp" {
		f.limit = min(f.limit, 2048)
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.Timeout)
	defer cancel()
	err := s.send(ctx, format(f, e))
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	address, hint := s.settings.address(), "check the server and the way to it; events wait until it answers"
	code := failure.Unreachable
	if trust.IsCertificate(err) {
		code, hint = failure.TLS, "if the server has a new certificate, set its pin or its authority"
	}
	return eventsink.Errorf(code, hint, "syslog server %s (%s): %w", address, s.settings.Protocol, err)
}

func (s *Sink) send(ctx context.Context, message []byte) error {
	network := "tcp"
	if s.settings.Protocol == "udp" {
		network = "udp"
	}
	raw, err := new(net.Dialer).DialContext(ctx, network, s.settings.address())
	if err != nil {
		return err
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })()
	if network == "udp" {
		if _, err := raw.Write(message); err != nil {
			return err
		}
		// A port that is shut answers at once, if anything does.
		raw.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := raw.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, io.EOF) {
			return err
		}
		return ctx.Err()
	}
	framed := append([]byte(strconv.Itoa(len(message))+" "), message...)
	conn := raw.(interface {
		net.Conn
		CloseWrite() error
	})
	if s.settings.Protocol == "tls" {
		c := s.tls()
		t := tls.Client(raw, c)
		if err := t.HandshakeContext(ctx); err != nil {
			return err
		}
		conn = t
	}
	if _, err := conn.Write(framed); err != nil {
		return err
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	// Until the server closes its side: a refusal, of a certificate for one,
	// shows only here. One that stays is trusted to have read.
	raw.SetReadDeadline(time.Now().Add(2 * time.Second))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, err = io.Copy(io.Discard, io.LimitReader(conn, 64<<10))
	if err != nil && ctx.Err() == nil && errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("wait for the server to close: %w", ctx.Err())
	}
	return err
}

func (s *Sink) tls() *tls.Config {
	c, _ := trust.Config(s.settings.Pin, s.settings.CA)
	c.ServerName, _, _ = net.SplitHostPort(s.settings.address())
	if s.settings.Certificate != "" {
		if pair, err := tls.X509KeyPair([]byte(s.settings.Certificate), []byte(s.settings.Key.Reveal())); err == nil {
			c.Certificates = []tls.Certificate{pair}
		}
	}
	return c
}
