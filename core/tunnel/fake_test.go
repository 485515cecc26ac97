package tunnel

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// fake is a relay in memory whose every word a test chooses. It runs in a
// bubble of synctest, so that time passes at once.
type fake struct {
	t      *testing.T
	links  chan *far // connections to PathLink
	carry  chan *far // and to PathCarry
	states chan State
	served chan *served

	mu     sync.Mutex
	refuse func(path string, q url.Values) error
	dials  int
	times  []time.Time // of the dials of control streams

	cancel context.CancelCauseFunc
	done   chan error
	renew  chan msg.Hello
	ended  bool // Run has returned
	all    []*far
}

// far is the relay's end of a connection.
type far struct {
	*msg.Reader
	net.Conn
	r    io.Reader
	path string
	q    url.Values
}

func (f *far) Read(p []byte) (int, error) { return f.r.Read(p) }

// served is a connection that Serve got.
type served struct {
	net.Conn
	start Start
	ctx   context.Context
}

var errProxy = errors.New("the proxy refuses the connection")

func newFake(t *testing.T) *fake {
	return &fake{t: t, links: make(chan *far, 1000), carry: make(chan *far, 1000), states: make(chan State, 1000), served: make(chan *served, 100), done: make(chan error, 1), renew: make(chan msg.Hello)}
}

func (f *fake) dial(ctx context.Context, path string, q url.Values, secured func() ([]byte, error)) (*link.Conn, error) {
	f.mu.Lock()
	f.dials++
	if path == msg.PathLink {
		f.times = append(f.times, time.Now())
	}
	refuse := f.refuse
	f.mu.Unlock()
	if refuse != nil {
		if err := refuse(path, q); err != nil {
			return nil, err
		}
	}
	var early []byte
	if secured != nil {
		var err error
		if early, err = secured(); err != nil {
			return nil, err
		}
	}
	near, other := net.Pipe()
	r := io.MultiReader(bytes.NewReader(early), other)
	to := f.carry
	if path == msg.PathLink {
		to = f.links
	}
	to <- &far{msg.NewReader(r), other, r, path, q}
	return &link.Conn{Conn: near}, nil
}

var hello = msg.Hello{V: 1, Session: "ses-0123abcd", Since: time.Unix(1e9, 0).UTC(), Name: "box-7"}

// run runs the tunnel against the relay that body plays.
func run(t *testing.T, body func(t *testing.T, f *fake), change ...func(*Options)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		ctx, cancel := context.WithCancelCause(context.Background())
		f.cancel = cancel
		o := Options{Session: hello, Renew: f.renew, State: func(s State) { f.states <- s },
			Serve: func(ctx context.Context, conn net.Conn, s Start) {
				c := &served{conn, s, ctx}
				f.served <- c
				<-ctx.Done()
			}}
		for _, f := range change {
			f(&o)
		}
		r := newRunner(o)
		r.dial = f.dial
		go func() { f.done <- r.run(ctx) }()
		defer func() {
			cancel(errors.New("the test is over"))
			if !f.ended {
				if err := <-f.done; err != nil {
					t.Errorf("Run = %v", err)
				}
			}
			for _, c := range [](chan *far){f.links, f.carry} {
				for len(c) > 0 {
					(<-c).Close()
				}
			}
			for _, c := range f.all {
				c.Close()
			}
		}()
		body(t, f)
	})
}

// next is the next connection to a path.
func (f *fake) next(from chan *far) *far {
	f.t.Helper()
	select {
	case c := <-from:
		f.all = append(f.all, c)
		return c
	case <-time.After(time.Hour):
		f.t.Fatal("no connection within an hour")
	}
	return nil
}

// link accepts a control stream.
func (f *fake) link() *far {
	f.t.Helper()
	c := f.next(f.links)
	m, err := c.Next()
	if h, ok := m.(*msg.Hello); !ok || h.Session != hello.Session {
		f.t.Fatalf("the control stream began with %+v, %v", m, err)
	}
	c.say(&msg.Welcome{V: 1, Node: "n1"})
	return c
}

func (c *far) say(m msg.Message) error { return msg.Write(c.Conn, m) }

// pings answers pings until the stream ends, and says when each came.
func (c *far) pings() <-chan time.Duration {
	times := make(chan time.Duration, 10_000)
	go func() {
		defer close(times)
		last := time.Now()
		for {
			m, err := c.Next()
			if err != nil {
				return
			}
			if p, ok := m.(*msg.Ping); ok {
				times <- time.Since(last)
				last = time.Now()
				c.say(&msg.Pong{N: p.N})
			}
		}
	}()
	return times
}

// mux makes the connection carry streams, and accepts the control stream.
func (f *fake) mux(c *far) *yamux.Session {
	f.t.Helper()
	if c.q.Get(msg.QueryMux) != "1" {
		f.t.Fatalf("query %v", c.q)
	}
	m, err := link.Mux(c.Conn, false)
	if err != nil {
		f.t.Fatal(err)
	}
	stream, err := m.AcceptStream()
	if err != nil {
		f.t.Fatal(err)
	}
	first := &far{Reader: msg.NewReader(stream), Conn: stream, r: stream}
	if got, err := first.Next(); err != nil {
		f.t.Fatalf("the first stream began with %+v, %v", got, err)
	}
	first.say(&msg.Welcome{V: 1})
	first.pings()
	return m
}

// state waits for a state of that kind.
func (f *fake) state(k Kind) State {
	f.t.Helper()
	for {
		select {
		case s := <-f.states:
			if s.Kind == k {
				return s
			}
		case <-time.After(time.Hour):
			f.t.Fatalf("no state %s within an hour", k)
		}
	}
}
