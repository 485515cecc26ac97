package direct

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/transport"
)

// listen accepts on the loopback and answers each connection with its peer.
func listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, c.RemoteAddr().String())
			c.Close()
		}
	}()
	return l.Addr().String()
}

func dial(t *testing.T, target transport.Target) (string, error) {
	t.Helper()
	if target.Network == "" {
		target.Network = "tcp"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	conn, err := New().Dial(ctx, target)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	peer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(peer), nil
}

func TestDial(t *testing.T) {
	if peer, err := dial(t, transport.Target{Address: listen(t)}); err != nil || peer == "" {
		t.Fatalf("%q, %v", peer, err)
	}
	// A name that has an IPv6 address where nothing listens: the IPv4 one is found.
	_, port, _ := net.SplitHostPort(listen(t))
	if _, err := dial(t, transport.Target{Address: "localhost:" + port}); err != nil {
		t.Errorf("by name: %v", err)
	}
}

// REQ A11: the connection leaves from where it is told to.
func TestBind(t *testing.T) {
	addr := listen(t)
	peer, err := dial(t, transport.Target{Address: addr, Bind: "127.0.0.2"})
	if host, _, _ := net.SplitHostPort(peer); err != nil || host != "127.0.0.2" {
		t.Errorf("from an address: the peer is %q, %v", peer, err)
	}
	if _, err := dial(t, transport.Target{Address: addr, Bind: "lo"}); err != nil && !errors.Is(err, os.ErrPermission) {
		t.Errorf("from an interface: %v", err)
	}
}

func TestFailures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	tests := []struct {
		name   string
		target transport.Target
		code   failure.Code
	}{
		{"nothing listens", transport.Target{Address: closed}, transport.Refused},
		{"no such name", transport.Target{Address: "no-such-host.invalid:443"}, transport.DNS},
		{"no port", transport.Target{Address: "127.0.0.1"}, transport.Config},
		{"an address that is not ours", transport.Target{Address: closed, Bind: "192.0.2.1"}, transport.Unreachable},
		{"no such interface", transport.Target{Address: closed, Bind: "nosuchif0"}, transport.Config},
		{"an interface name too long", transport.Target{Address: closed, Bind: "averyveryverylonginterfacename"}, transport.Config},
		{"not tcp", transport.Target{Network: "udp", Address: closed}, transport.Config},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dial(t, tt.target)
			if !errors.Is(err, tt.code) {
				// A machine without a resolver times out instead.
				if tt.code == transport.DNS && errors.Is(err, transport.Timeout) {
					t.Skip("no name server answers here")
				}
				t.Errorf("got %v (%+v), want %s", err, failure.From(err), tt.code)
			}
		})
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := New().Dial(ctx, transport.Target{Network: "tcp", Address: listen(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
