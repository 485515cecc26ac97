package bundler

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/deliver"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/route"
)

// connectProxy is an HTTP proxy with one user, which knows names of its own.
type connectProxy struct {
	address string
	names   map[string]string // name:port to the real address
	login   string            // Proxy-Authorization
	mu      sync.Mutex
	asked   []string
}

func startProxy(t *testing.T, names map[string]string) *connectProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &connectProxy{address: l.Addr().String(), names: names, login: "Basic " + base64.StdEncoding.EncodeToString([]byte("ada:c4n4ry-p4ss"))}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *connectProxy) serve(conn net.Conn) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if r.Header.Get("Proxy-Authorization") != p.login {
			io.WriteString(conn, "HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
			continue
		}
		p.mu.Lock()
		p.asked = append(p.asked, r.Host)
		p.mu.Unlock()
		far, err := net.DialTimeout("tcp", p.names[r.Host], 5*time.Second)
		if err != nil {
			io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
			return
		}
		defer far.Close()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { io.Copy(far, br); far.(*net.TCPConn).CloseWrite() }()
		io.Copy(conn, far)
		return
	}
}

// REQ A6, A17, H3: a bundle goes through a proxy with a login, to a relay whose
// name nobody but the proxy can resolve; a wrong password leaves it queued,
// and is in no error and no audit record.
func TestDeliverThroughAProxy(t *testing.T) {
	const name = "rss.only-the-proxy-knows.invalid:443"
	relay := relaytest.New(t, func(r *relaytest.Relay) {
		r.Names = []string{"rss.only-the-proxy-knows.invalid"}
	})
	b := open(t, "")
	enroll(t, b, relay)
	proxy := startProxy(t, map[string]string{name: relay.Address})
	made, err := makeBundle(t, b, onlyFiles(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	way := func(password string) route.Route {
		r, err := route.Parse(route.Options{Proxy: "https://ada@" + proxy.address, Password: []byte(password)})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	_, err = b.Deliver(t.Context(), made.Queued, Delivery{RSS: name, Route: way("c4n4ry-wr0ng"), Patience: time.Second})
	var queued *deliver.QueuedError
	if !errors.As(err, &queued) || !strings.Contains(err.Error(), "does not accept the credentials") {
		t.Fatalf("wrong password: %v", err)
	}
	if strings.Contains(err.Error()+queued.Hint(), "c4n4ry") {
		t.Errorf("the password is in the error: %v", err)
	}
	d, err := b.Deliver(t.Context(), made.Queued, Delivery{RSS: name, Route: way("c4n4ry-p4ss")})
	if err != nil {
		t.Fatal(err)
	}
	if d.Receipt.SHA256 != made.SHA256 {
		t.Errorf("receipt: %+v", d.Receipt)
	}
	proxy.mu.Lock()
	defer proxy.mu.Unlock()
	for _, host := range proxy.asked {
		if host != name {
			t.Errorf("the proxy was asked for %s", host)
		}
	}
	if len(proxy.asked) == 0 {
		t.Error("the bundle did not go through the proxy")
	}
}

// A retired relay is refused before anything is dialled.
func TestRetiredRelay(t *testing.T) {
	relay := relaytest.New(t)
	b := open(t, "")
	enroll(t, b, relay)
	made, err := makeBundle(t, b, onlyFiles(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	var retired *route.RetiredError
	if _, err := b.Deliver(t.Context(), made.Queued, Delivery{RSS: "rss05.infinidat.com"}); !errors.As(err, &retired) {
		t.Errorf("got %v", err)
	}
}
