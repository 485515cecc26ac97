package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/yamux"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

const (
	welcomeTimeout = 15 * time.Second
	writeTimeout   = 10 * time.Second
	byeTimeout     = 2 * time.Second
	maxIgnored     = 100 // dials above the rate, before the relay is held for mad
)

// control is one control stream.
type control struct {
	r      *runner
	conn   *link.Conn // the connection
	stream net.Conn   // where the messages go: conn, or a stream of mux
	mux    *yamux.Session

	welcomed    time.Time // zero: not yet
	lastTraffic time.Time
	pinged      uint64
	waiting     bool          // for a pong
	quiet       time.Duration // silence before that ping
	testMux     bool          // the next pong shows that the way is open
	ignored     int
}

// session runs one control stream, from dialling to its end, and says for how
// long it was up.
func (r *runner) session(ctx context.Context, first bool) (up time.Duration, err error) {
	r.mu.Lock()
	r.failed = 0
	r.mu.Unlock()
	var early []byte
	q := url.Values{}
	if r.muxed() {
		q.Set(msg.QueryMux, "1")
	}
	defer r.setUp(false)
	if r.together {
		r.setSecured()
	}
	conn, err := r.dial(ctx, msg.PathLink, q, func() ([]byte, error) {
		if early, err = r.announcement(); err != nil {
			return nil, err
		}
		if r.muxed() {
			return nil, nil
		}
		r.setSecured()
		return early, nil
	})
	r.idle.connected(first && err == nil)
	if err != nil {
		return 0, err
	}
	c := &control{r: r, conn: conn, stream: conn, lastTraffic: time.Now()}
	defer conn.Close()
	if r.muxed() {
		if err := c.multiplex(early); err != nil {
			return 0, err
		}
		defer c.mux.Close()
	}
	err = c.run(ctx)
	if !c.welcomed.IsZero() {
		up = time.Since(c.welcomed)
	}
	return up, err
}

// announcement is the message that a control stream begins with.
func (r *runner) announcement() ([]byte, error) {
	if err := r.awaitBegun(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	hello := r.hello
	r.renewed = false
	r.mu.Unlock()
	return msg.Append(nil, &hello)
}

// multiplex makes the connection carry streams and opens the first.
func (c *control) multiplex(hello []byte) error {
	var err error
	if c.mux, err = link.Mux(c.conn, true); err != nil {
		return err
	}
	if c.stream, err = c.mux.OpenStream(); err != nil {
		c.mux.Close()
		return fmt.Errorf("open the control stream: %w", err)
	}
	c.stream.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := c.stream.Write(hello); err != nil {
		c.mux.Close()
		return fmt.Errorf("say hello: %w", err)
	}
	c.r.conns.Go(func() { c.r.acceptStreams(c.mux) })
	return nil
}

// received is a message or the end.
type received struct {
	m   msg.Message
	err error
}

// run serves the stream until it ends, or ctx does.
func (c *control) run(ctx context.Context) error {
	in, done := make(chan received), make(chan struct{})
	defer close(done)
	go func() {
		reader := msg.NewReader(c.stream)
		for {
			m, err := reader.Next()
			select {
			case in <- received{m, err}:
			case <-done:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	timer := time.NewTimer(welcomeTimeout)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			c.bye(ctx)
			return ctx.Err()
		case got := <-in:
			if got.err != nil {
				return c.broken(got.err)
			}
			c.lastTraffic = time.Now()
			before := c.waiting || c.welcomed.IsZero()
			if err := c.handle(got.m); err != nil {
				return err
			}
			if before && !c.waiting { // answered: the next ping
				timer.Reset(c.r.idle.next())
			}
		case <-timer.C:
			if c.welcomed.IsZero() {
				return fmt.Errorf("the relay did not welcome this system within %s", welcomeTimeout)
			}
			if c.waiting {
				c.r.idle.cut(c.quiet)
				return fmt.Errorf("the relay did not answer within %s: the connection is dead", msg.Answer)
			}
			if err := c.ping(); err != nil {
				return err
			}
			timer.Reset(msg.Answer)
		case <-c.r.kick:
			pinging, err := c.kicked()
			if err != nil {
				return err
			}
			if pinging {
				timer.Reset(msg.Answer)
			}
		}
	}
}

// broken explains the end of the stream.
func (c *control) broken(err error) error {
	if errors.Is(err, msg.ErrSyntax) {
		return fmt.Errorf("the relay sent what is %w", err)
	}
	silence := time.Since(c.lastTraffic)
	if !c.welcomed.IsZero() {
		c.r.idle.cut(silence)
	}
	return fmt.Errorf("the connection to the relay was cut after %s of silence: %w", silence.Round(time.Second), err)
}

func (c *control) send(m msg.Message) error {
	c.stream.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err := msg.Write(c.stream, m); err != nil {
		return c.broken(err)
	}
	c.lastTraffic = time.Now()
	return nil
}

func (c *control) ping() error {
	c.quiet = time.Since(c.lastTraffic)
	c.pinged++
	c.waiting = true
	return c.send(&msg.Ping{N: c.pinged})
}

// kicked looks at what others changed: what is announced, and whether
// dial-backs fail. It reports whether it sent a ping.
func (c *control) kicked() (bool, error) {
	if c.welcomed.IsZero() {
		return false, nil // looked at again once it is
	}
	r := c.r
	r.mu.Lock()
	hello, renewed, failed := r.hello, r.renewed, r.failed
	r.renewed = false
	r.mu.Unlock()
	if renewed {
		if err := c.send(&hello); err != nil {
			return false, err
		}
	}
	if failed < muxAfter || c.mux != nil || c.testMux {
		return false, nil
	}
	c.testMux = true
	if c.waiting {
		return false, nil
	}
	return true, c.ping()
}

// handle acts on one message.
func (c *control) handle(m msg.Message) error {
	switch m := m.(type) {
	case *msg.Refuse:
		return fmt.Errorf("the relay refuses this session: %w", api.Errorf(0, api.Code(m.Code), "%s", m.Message))
	case *msg.Replaced:
		return ErrReplaced
	case *msg.Drain:
		return &drained{time.Duration(m.RetryAfter) * time.Second}
	case *msg.Welcome:
		if !c.welcomed.IsZero() {
			return errors.New("the relay welcomed this system twice")
		}
		return c.welcome(m)
	}
	if c.welcomed.IsZero() {
		return errors.New("the relay began with something else than a welcome")
	}
	switch m := m.(type) {
	case *msg.Pong:
		if !c.waiting || m.N != c.pinged {
			return errors.New("the relay answered a ping that was not sent")
		}
		c.waiting = false
		c.r.idle.alive()
		c.r.spreads(m.Spread)
		c.r.revoked(m.Revoked)
		return c.muxNeeded()
	case *msg.Dial:
		if c.mux != nil {
			return errors.New("the relay asked for a second connection where there is one only")
		}
		if !c.r.dialBack(m) {
			if c.ignored++; c.ignored > maxIgnored {
				return errors.New("the relay asks for more connections than anybody needs")
			}
		}
		return nil
	}
	return fmt.Errorf("the relay sent a message that only a system sends: %T", m)
}

func (c *control) welcome(m *msg.Welcome) error {
	if m.V != msg.Version {
		return fmt.Errorf("the relay speaks version %d of the tunnel; this program speaks %d", m.V, msg.Version)
	}
	c.welcomed = time.Now()
	r := c.r
	r.spreads(m.Spread)
	s := State{Kind: Up, Node: m.Node, InspectedBy: c.conn.InspectedBy, Framed: c.conn.Framed, Muxed: c.mux != nil}
	r.tell(s)
	if s.InspectedBy != r.told {
		if r.told = s.InspectedBy; r.told != "" {
			s.Kind = Inspected
			r.tell(s)
		}
	}
	r.setUp(c.mux == nil)
	poke(r.kick)
	r.revoked(m.Revoked)
	return nil
}

func (r *runner) revoked(number uint64) {
	if r.o.Revoked != nil {
		r.o.Revoked(number)
	}
}

// muxNeeded ends the stream where dial-backs fail and it is alive.
func (c *control) muxNeeded() error {
	if !c.testMux {
		return nil
	}
	c.testMux = false
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if c.r.failed < muxAfter {
		return nil // one went through meanwhile
	}
	return &needMux{c.r.why}
}

// bye says why the session ends, as far as that can be done quickly.
func (c *control) bye(ctx context.Context) {
	var reason string
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		reason = printable(err.Error())
	}
	c.stream.SetWriteDeadline(time.Now().Add(byeTimeout))
	msg.Write(c.stream, &msg.Bye{Reason: reason})
}

func printable(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > 200 || !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
}
