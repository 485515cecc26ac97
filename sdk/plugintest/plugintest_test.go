package plugintest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/eventsink"
	"github.com/latchstring/latchstring/sdk/needs"
	"github.com/latchstring/latchstring/sdk/plugintest"
	"github.com/latchstring/latchstring/sdk/transport"
)

// direct is the simplest transport.
type direct struct{}

func (direct) Dial(ctx context.Context, t transport.Target) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, t.Network, t.Address)
}

// wrapped is a transport whose connections are no plain sockets.
type wrapped struct{ direct }

type wrappedConn struct{ net.Conn }

func (w wrappedConn) CloseWrite() error { return w.Conn.(*net.TCPConn).CloseWrite() }

func (w wrapped) Dial(ctx context.Context, t transport.Target) (net.Conn, error) {
	conn, err := w.direct.Dial(ctx, t)
	if err != nil {
		return nil, err
	}
	return wrappedConn{conn}, nil
}

// connect is a transport through an HTTP proxy.
type connect struct {
	settings struct {
		Proxy    string        `config:"proxy" required:"true" help:"host:port of the proxy"`
		Password config.Secret `config:"password"`
	}
	sloppy bool // do it wrong
}

func (c *connect) Config() any         { return &c.settings }
func (c *connect) ResolvesNames() bool { return true }

func (c *connect) Dial(ctx context.Context, t transport.Target) (net.Conn, error) {
	if _, _, err := net.SplitHostPort(t.Address); err != nil || strings.ContainsAny(t.Address, "\r\n ") {
		return nil, transport.Errorf(transport.Config, "", "no address: want host:port")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.settings.Proxy)
	if err != nil {
		return nil, err
	}
	br := bufio.NewReader(io.LimitReader(conn, 64<<10))
	talk := func() error {
		fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\nProxy-Authorization: Bearer %s\r\n\r\n", t.Address, c.settings.Password.Reveal())
		resp, err := http.ReadResponse(br, nil)
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF), err != nil && c.sloppy:
			return err
		case err != nil:
			var ne net.Error
			if errors.As(err, &ne) {
				return err
			}
			return transport.Errorf(transport.ProxyBroken, "is this an HTTP proxy?", "proxy %s does not answer as one: %w", c.settings.Proxy, err)
		case resp.StatusCode != http.StatusOK:
			return transport.Errorf(transport.ProxyRefused, "", "proxy %s: %s %s", c.settings.Proxy, resp.Status, c.secret())
		}
		return nil
	}
	if c.sloppy {
		err = talk()
	} else {
		err = transport.Converse(ctx, conn, talk)
	}
	if err != nil {
		if !c.sloppy {
			conn.Close()
		}
		return nil, err
	}
	if c.sloppy {
		return conn, nil
	}
	return transport.Buffered(transport.WithNote(conn, "through "+c.settings.Proxy), br), nil
}

// secret is what a sloppy author puts into errors.
func (c *connect) secret() string {
	if c.sloppy {
		return fmt.Sprintf("%x", c.settings.Password.Reveal())
	}
	return ""
}

func TestTransportDirect(t *testing.T) {
	plugintest.Transport(t, func() transport.Transport { return direct{} })
}

func TestTransportPumped(t *testing.T) {
	plugintest.Transport(t, func() transport.Transport { return wrapped{} })
}

var throughProxy = plugintest.Options{
	Config: map[string]any{"proxy": plugintest.ProxyAddress}, Proxy: plugintest.CONNECT,
}

func TestTransportConnect(t *testing.T) {
	plugintest.Transport(t, func() transport.Transport { return new(connect) }, throughProxy)
}

// facts is a collector of every kind of item.
type facts struct{ bad bool }

func (facts) Needs() needs.List {
	return needs.List{Paths: []string{"/etc/os-release"}, Commands: [][]string{{"uname", "-a"}, {"no-such-tool"}}}
}

func (facts) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	return []collect.Planned{{Name: "os-release", Source: "/etc/os-release", Size: -1, Config: true}}, nil
}

func (f facts) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	if f.bad {
		sink.Command(collect.Item{Name: "a"}, "rm", "-rf", "/")
		sink.Absent(collect.Item{Name: "b"}, "")
		sink.Stream(collect.Item{Name: "left-open"})
		return errors.New("no uname")
	}
	if err := sink.Path(collect.Item{Name: "os-release", Config: true}, "/etc/os-release"); err != nil {
		return err
	}
	if err := sink.Path(collect.Item{Name: "none"}, "/no/such/file"); err != nil {
		return err
	}
	if err := sink.Command(collect.Item{Name: "uname.txt"}, "uname", "-a"); err != nil {
		return err
	}
	if err := sink.Command(collect.Item{Name: "tool.txt"}, "no-such-tool"); err != nil {
		return err
	}
	if err := sink.Path(collect.Item{Name: "directory"}, "/etc"); err != nil {
		return err
	}
	w, err := sink.Stream(collect.Item{Name: "numbers.txt", Source: "this collector"})
	if err != nil {
		return err
	}
	defer w.Close()
	for i := range 50_000 { // more than a pipe holds
		if _, err := fmt.Fprintln(w, i); err != nil {
			return err
		}
	}
	return w.Close()
}

func TestCollector(t *testing.T) {
	plugintest.Collector(t, func() collect.Collector { return facts{} },
		plugintest.Options{Commands: map[string]string{"uname -a": "Linux test\n"}})
}

// pin is an authentication method.
type pin struct {
	settings struct {
		PIN config.Secret `config:"pin" required:"true"`
	}
	bad bool
}

func (p *pin) Config() any { return &p.settings }

func (p *pin) Authenticate(ctx context.Context, _ auth.Request, talk auth.Conversation) (auth.Identity, error) {
	if err := talk.Show(ctx, auth.Notice{Label: "Welcome"}); err != nil {
		return auth.Identity{}, err
	}
	answers, err := talk.Ask(ctx, auth.Field{Name: "pin", Label: "PIN", Secret: true})
	if err != nil {
		return auth.Identity{}, err
	}
	if p.bad {
		if s := answers.Secret("pin").Reveal(); len(s) > 1<<10 {
			panic(s)
		}
		time.Sleep(500 * time.Millisecond)
		return auth.Identity{User: "anybody"}, nil
	}
	if !p.settings.PIN.Equal(answers.Secret("pin")) {
		return auth.Identity{}, auth.Errorf(auth.BadLogin, "ask the administrator", "wrong PIN")
	}
	return auth.Identity{User: "operator"}, nil
}

func TestAuth(t *testing.T) {
	plugintest.Auth(t, func() auth.Method { return new(pin) }, plugintest.Options{
		Config: map[string]any{"pin": "314159"},
		Login:  &plugintest.Login{Answers: map[string]string{"pin": "314159"}, User: "operator"},
	})
}

// spool is an event sink into a file.
type spool struct {
	settings struct {
		Path  string        `config:"path" required:"true"`
		Token config.Secret `config:"token"`
	}
	bad bool
}

func (s *spool) Config() any { return &s.settings }

func (s *spool) Deliver(_ context.Context, e eventsink.Event) error {
	if s.bad {
		panic("cannot " + s.settings.Token.Reveal())
	}
	f, err := os.OpenFile(s.settings.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "%q %q\n", e.ID, e.Code)
	return err
}

func TestEventSink(t *testing.T) {
	plugintest.EventSink(t, func() eventsink.Sink { return new(spool) }, plugintest.Options{
		Config: map[string]any{"path": t.TempDir() + "/events"},
		Broken: map[string]any{"path": "/no/such/directory/events"},
	})
}
