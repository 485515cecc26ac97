package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/failure"
)

// TransportUse is how a caller wants a transport.
type TransportUse struct {
	Use

	// Proxy is the proxy that the transport goes through, as
	// scheme://host:port; empty for none. Policy is asked about it, and the
	// connection that is handed over must lead there.
	Proxy string

	// Peers are further addresses, as host:port, that a connection may lead to,
	// for a transport with a way of its own.
	Peers []string

	// Bind is the local address or interface to dial from; empty for any.
	Bind string
}

// Transport dials through a transport plugin. It is safe for concurrent use.
type Transport struct {
	*unit
	name string
	use  TransportUse
}

// Dialled is a connection and what is known about its way.
type Dialled struct {
	Conn net.Conn

	// Note is the transport's own word: "through proxy.example:3128, digest".
	Note string

	// Pumped says that the plugin stays in the data path: the connection ends
	// with it.
	Pumped bool
}

// Transport returns the transport of that name. The plugin starts with the
// first dial. Close it when its connections are no longer used: those that the
// plugin pumps end with it, others do not.
func (h *Host) Transport(name string, use TransportUse) (*Transport, error) {
	var err error
	if use.Config, err = h.settingsOf(name, use.Config); err != nil {
		return nil, err
	}
	u, err := h.newUnit(wire.RoleTransport, name, use.Use)
	if err != nil {
		return nil, err
	}
	return &Transport{unit: u, name: name, use: use}, nil
}

// Info says which plugin it is; it starts it if need be.
func (t *Transport) Info(ctx context.Context) (Info, error) { return t.info(ctx) }

// Close ends the plugin.
func (t *Transport) Close() error { t.unit.close(); return nil }

// DialContext connects to the address, which is host:port, through the plugin.
// It fits where a net.Dialer's does.
func (t *Transport) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d, err := t.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return d.Conn, nil
}

// Dial is DialContext with more to tell.
func (t *Transport) Dial(ctx context.Context, network, address string) (Dialled, error) {
	want, err := t.expect(network, address)
	if err != nil {
		return Dialled{}, fmt.Errorf("dial %s: %w", address, err)
	}
	if err := t.allowed(address); err != nil {
		return Dialled{}, fmt.Errorf("dial %s: %w", address, err)
	}
	inst, err := t.get(ctx)
	if err != nil {
		return Dialled{}, fmt.Errorf("dial %s: %w", address, err)
	}
	d, err := t.dial(ctx, inst, network, address, want)
	if err != nil {
		t.blame(inst, err)
		return Dialled{}, during("dial "+address, err)
	}
	return d, nil
}

// allowed asks policy about a dial.
func (t *Transport) allowed(address string) error {
	proxy := t.use.Proxy
	if proxy == "" {
		proxy = "none"
	}
	facts := policy.Facts{policy.Transport: t.name, policy.Address: address, policy.Proxy: proxy}
	if t.use.Purpose != "" {
		facts[policy.Purpose] = t.use.Purpose
	}
	return t.host.opt.Policy.Decide(policy.TransportDial, facts).Err()
}

func (t *Transport) dial(ctx context.Context, inst *instance, network, address string, want []endpoint) (Dialled, error) {
	id := inst.channel.NewID()
	rep, err := call(ctx, inst, "dial", t.host.opt.Timeouts.Dial, func(ctx context.Context) (*pluginv1.DialResponse, error) {
		return inst.role.(pluginv1.TransportClient).Dial(ctx, &pluginv1.DialRequest{
			Handoff: id, Network: network, Address: address, Bind: t.use.Bind,
		})
	})
	if err == nil {
		err = failureOf(t.id, rep.GetFailure())
	}
	if err != nil {
		inst.channel.Forget(id) // it may still come
		return Dialled{}, err
	}
	// It was passed before the answer was given.
	tctx, cancel := context.WithTimeoutCause(ctx, t.host.opt.Timeouts.Call, errors.New("none came"))
	defer cancel()
	f, err := inst.channel.Take(tctx, id)
	if err != nil {
		if ctx.Err() != nil {
			return Dialled{}, context.Cause(ctx)
		}
		return Dialled{}, inst.misbehaved("it said that it had dialled, but handed over no connection: %v", err)
	}
	if rep.GetPumped() {
		err = pumpedPair(f, inst.run.proc.PID())
	} else {
		err = leadsTo(ctx, f, want)
	}
	if errors.Is(err, errNoLookup) {
		f.Close()
		return Dialled{}, err
	}
	if err != nil {
		f.Close()
		return Dialled{}, inst.misbehaved("for a connection to %s it handed over %v", address, err)
	}
	conn, err := connOf(f)
	if err != nil {
		return Dialled{}, fmt.Errorf("take over the connection: %w", err)
	}
	if residual := rep.GetResidual(); len(residual) > 0 {
		conn = &prefixed{Conn: conn, head: bytes.NewReader(residual)}
	}
	return Dialled{Conn: conn, Note: clip(rep.GetNote()), Pumped: rep.GetPumped()}, nil
}

// blame records misbehaviour.
func (u *unit) blame(inst *instance, err error) {
	var bad *MisbehaviorError
	if errors.As(err, &bad) {
		u.mu.Lock()
		p := u.plugin
		u.mu.Unlock()
		u.host.record(pluginMisbehaved, u.id, p, "what", bad.What, "pid", inst.run.ID())
	}
}

// Step is one step of a probe.
type Step struct {
	Name   string
	Detail string
	Took   time.Duration
	Err    error // nil when it went well
}

// Probe lets the transport try its way step by step, without a connection in
// the end; report gets each step. A transport that cannot do that fails with
// failure.Unsupported (package sdk/failure).
func (t *Transport) Probe(ctx context.Context, network, address string, report func(Step)) error {
	_, err := t.expect(network, address)
	if err == nil {
		err = t.allowed(address)
	}
	var inst *instance
	if err == nil {
		inst, err = t.get(ctx)
	}
	if err == nil {
		if err = t.probe(ctx, inst, network, address, report); err != nil {
			t.blame(inst, err)
		}
	}
	if err != nil {
		return fmt.Errorf("probe %s: %w", address, err)
	}
	return nil
}

func (t *Transport) probe(ctx context.Context, inst *instance, network, address string, report func(Step)) error {
	limit := t.host.opt.Timeouts.Dial
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stream, err := inst.role.(pluginv1.TransportClient).Probe(limited, &pluginv1.DialRequest{Network: network, Address: address, Bind: t.use.Bind})
	if err != nil {
		return inst.explain(ctx, limited, "probe", limit, err)
	}
	for range maxSteps {
		s, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if status.Code(err) == codes.Unimplemented { // a plugin older than probes
			return failure.New(failure.Unsupported, "", "transport %s has no steps to show", t.name)
		}
		if err != nil {
			return inst.explain(ctx, limited, "probe", limit, err)
		}
		step := Step{clip(s.GetName()), clip(s.GetDetail()), time.Duration(s.GetDurationUs()) * time.Microsecond, failureOf(t.id, s.GetFailure())}
		report(step)
		if step.Err != nil {
			return step.Err
		}
	}
	return inst.misbehaved("its probe has more than %d steps", maxSteps)
}

const maxSteps = 100

// endpoint is where a connection may lead.
type endpoint struct {
	host string
	port uint16
}

// expect lists where a connection for address may lead: to the proxy, if there
// is one, else to the address; and to the further peers.
func (t *Transport) expect(network, address string) ([]endpoint, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return nil, fmt.Errorf("network %q: only tcp is carried", network)
	}
	list := append([]string{address}, t.use.Peers...)
	if t.use.Proxy != "" {
		u, err := url.Parse(t.use.Proxy)
		if err != nil || u.Hostname() == "" || u.Port() == "" {
			return nil, errors.New("the proxy is malformed; it is written scheme://host:port")
		}
		list[0] = u.Host
		if _, err := endpointOf(address); err != nil {
			return nil, err
		}
	}
	var out []endpoint
	for _, a := range list {
		e, err := endpointOf(a)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func endpointOf(address string) (endpoint, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return endpoint{}, fmt.Errorf("address %q is not written host:port", address)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "" {
		return endpoint{}, fmt.Errorf("address %q is not written host:port", address)
	}
	return endpoint{host, uint16(n)}, nil
}

// errNoLookup is wrapped when a connection cannot be checked, which is not the
// plugin's fault.
var errNoLookup = errors.New("name not found")

// lookup is the host's own resolver.
var lookup = net.DefaultResolver.LookupNetIP

// leadsTo checks that a handed socket is connected to one of the endpoints.
// Names are looked up by the host itself.
func leadsTo(ctx context.Context, f *os.File, want []endpoint) error {
	peer, err := socketPeer(f)
	if err != nil {
		return err
	}
	for _, e := range want {
		if e.port != peer.Port() {
			continue
		}
		if ip, err := netip.ParseAddr(e.host); err == nil {
			if ip.Unmap().WithZone("") == peer.Addr().WithZone("") {
				return nil
			}
			continue
		}
		ips, err := lookup(ctx, "ip", e.host)
		if err != nil {
			return fmt.Errorf("%w: the transport connected to %s, and whether that is %s cannot be told: %w", errNoLookup, peer, e.host, err)
		}
		for _, ip := range ips {
			if ip.Unmap().WithZone("") == peer.Addr().WithZone("") {
				return nil
			}
		}
	}
	return fmt.Errorf("one to %s", peer)
}

// prefixed is a connection with bytes in front that the plugin had read.
type prefixed struct {
	net.Conn
	head *bytes.Reader
}

func (p *prefixed) Read(b []byte) (int, error) {
	if p.head.Len() > 0 {
		return p.head.Read(b)
	}
	return p.Conn.Read(b)
}

// CloseWrite ends the sending half.
func (p *prefixed) CloseWrite() error {
	if cw, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return nil
}
