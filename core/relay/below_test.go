package relay_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
	"github.com/latchstring/latchstring/testdata/until"
)

// passing opens a session and connects the engineer, both ready to leave TLS.
func passing(t *testing.T, p *relaytest.Pair) (system, engineer *link.Conn) {
	t.Helper()
	s := p.Open(t, func(d *link.Dialer, _ *msg.Hello) { d.Pass = true })
	got := make(chan *link.Conn, 1)
	go s.Serve(t.Context(), func(c net.Conn, _ *msg.Start) { got <- c.(*link.Conn) })
	d := link.Dialer{Client: p.Engineer, RelayKey: p.Loaded.ReceiptKey.PublicKey(), Pass: true}
	engineer, err := d.Dial(t.Context(), msg.PathConnect, url.Values{msg.QuerySystem: {"array-7"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engineer.Close() })
	if _, err := relaytest.Started(engineer); err != nil {
		t.Fatal(err)
	}
	select {
	case system = <-got:
	case <-time.After(10 * time.Second):
		t.Fatal("no dial-back")
	}
	t.Cleanup(func() { system.Close() })
	return system, engineer
}

// leave ends TLS in one direction and returns what is below it.
func leave(t *testing.T, c *link.Conn) net.Conn {
	t.Helper()
	if !c.Passes() {
		t.Fatal("the relay does not pass")
	}
	if err := errors.Join(c.CloseWrite(), c.Below().SetWriteDeadline(time.Time{})); err != nil {
		t.Fatal(err)
	}
	return c.Below()
}

// arrive reads the rest of what came within TLS, and returns what follows it.
func arrive(t *testing.T, c *link.Conn, want string) io.Reader {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	got, err := io.ReadAll(c)
	if err != nil || string(got) != want {
		t.Fatalf("within TLS: %q, %v", got, err)
	}
	return io.MultiReader(bytes.NewReader(c.Rest()), c.Below())
}

// Both ends leave TLS, each in its direction and at its time; what follows goes
// through the relay as it is, whatever it is and however much.
func TestBelowTLS(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	system, engineer := passing(t, p)
	if _, err := system.Write([]byte("accepted")); err != nil {
		t.Fatal(err)
	}
	down := leave(t, system)
	go down.Write([]byte("at once behind it"))
	fromSystem := arrive(t, engineer, "accepted")
	b := make([]byte, len("at once behind it"))
	if _, err := io.ReadFull(fromSystem, b); err != nil || string(b) != "at once behind it" {
		t.Fatalf("below TLS: %q, %v", b, err)
	}
	// The other direction is within TLS still.
	if _, err := engineer.Write([]byte("well")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(system, b[:4]); err != nil || string(b[:4]) != "well" {
		t.Fatalf("within TLS: %q, %v", b[:4], err)
	}
	up := leave(t, engineer)
	fromEngineer := arrive(t, system, "")
	engineer.SetDeadline(time.Time{})
	system.SetDeadline(time.Time{})

	const size = 24<<20 + 17
	var both sync.WaitGroup
	for _, way := range []struct {
		to   net.Conn
		from io.Reader
	}{{up, fromEngineer}, {down, fromSystem}} {
		sent, got := sha256.New(), sha256.New()
		both.Go(func() {
			if _, err := io.CopyN(io.MultiWriter(way.to, sent), rand.Reader, size); err != nil {
				t.Error(err)
			}
			way.to.(interface{ CloseWrite() error }).CloseWrite()
		})
		both.Go(func() {
			n, err := io.Copy(got, way.from)
			if err != nil || n != size {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
		defer func() {
			if !bytes.Equal(sent.Sum(nil), got.Sum(nil)) {
				t.Error("the bytes are not the same")
			}
		}()
	}
	both.Wait()
	until.True(t, "its end is recorded", func() bool { return len(events(t, p.Relay, "connect.closed")) == 1 })
	if ev := events(t, p.Relay, "connect.closed")[0]; !strings.Contains(ev, `"from_engineer":"25165845"`) || !strings.Contains(ev, `"reason":"closed"`) {
		t.Errorf("event %s", ev)
	}
}

// What ends a connection within TLS ends it below, too.
func TestBelowTLSCut(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	system, engineer := passing(t, p)
	down := leave(t, system)
	from := arrive(t, engineer, "")
	engineer.SetDeadline(time.Now().Add(10 * time.Second))
	go func() { // much is under way
		for {
			if _, err := down.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}()
	if _, err := io.CopyN(io.Discard, from, 8<<20); err != nil {
		t.Fatal(err)
	}
	if err := relay.Local(p.Server).Call(t.Context(), "POST", "/admin/systems/array-7/retire", nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, from); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection goes on")
	}
	until.True(t, "its end is recorded", func() bool { return len(events(t, p.Relay, "connect.closed")) == 1 })
}
