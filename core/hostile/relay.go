package hostile

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/cork"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// relay is our relay turned bad. It has the relay's keys and speaks its
// protocol; what it does with what comes is the plan of a case.
type relay struct {
	vendor  *vendor
	address string
	ln      net.Listener
	srv     *http.Server
	tape    *tape
	ctx     context.Context
	stop    context.CancelFunc

	mu         sync.Mutex
	plan       plan
	links      map[string]*line // control streams by system
	tickets    map[string]chan net.Conn
	spares     map[string][]net.Conn
	kept       []net.Conn // all that were ever opened, to be held open
	splices    []*splice
	recordings map[string]map[int][]byte // segments by connection
	logins     []login
	carries    int // dial-backs so far
	passes     bool
	records    int // that came by below TLS
	number     uint64
	list       []byte // of revoked certificates, the newest that the vendor published
}

// plan is what a case makes the relay do. What it leaves out is done as a good
// relay would.
type plan struct {
	framed bool
	// refuse answers a request instead of serving it.
	refuse func(path string) *api.Error
	// stall holds a request and never answers.
	stall func(path string) bool
	// lead sends an engineer to another system than he asked for.
	lead func(system string) string
	// say changes what both ends are told at the start.
	say func(to *msg.Start, system bool)
	// welcome replaces the answer to a system's hello.
	welcome func(c *line) error
	// join is given both ends of an engineer's connection, behind start.
	join func(s *splice)
	// up and down see, and change, each unit that passes, on connections from
	// number from on: what is left over of an earlier attempt is not meant.
	up, down func(s *splice, u unit) [][]byte
	from     int
	// leave is called when a side has left TLS, with the other one.
	leave func(to net.Conn)
	// sign replaces the receipt key: that of somebody who has only that of TLS.
	sign ssh.Signer
	// record replaces the vendor's record.
	record *identity.Vendor
	// segment answers a piece of a recording.
	segment func(n int) *api.Error
	// number is what the relay says of its list of revoked certificates, and list
	// what it hands out.
	number func() uint64
	list   func(w http.ResponseWriter) error
}

// splice is an engineer's connection.
type splice struct {
	r                *relay
	n                int // of all
	id               string
	system, engineer net.Conn

	mu    sync.Mutex
	units []unit
}

// login is what somebody signed.
type login struct{ req api.TokenRequest }

// line is a system's control stream.
type line struct {
	conn   net.Conn
	in     *msg.Reader
	system string
	hello  msg.Hello
	gone   chan struct{}
	bye    chan string
	send   sync.Mutex
}

func (c *line) tell(m msg.Message) error {
	c.send.Lock()
	defer c.send.Unlock()
	return msg.Write(c.conn, m)
}

func (c *line) raw(p []byte) error {
	c.send.Lock()
	defer c.send.Unlock()
	_, err := c.conn.Write(p)
	return err
}

func newRelay(ctx context.Context) (*relay, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	v, err := newVendor(ln.Addr().String())
	if err != nil {
		ln.Close()
		return nil, err
	}
	r := &relay{vendor: v, address: ln.Addr().String(), ln: ln, tape: &tape{}, links: map[string]*line{}, tickets: map[string]chan net.Conn{},
		spares: map[string][]net.Conn{}, recordings: map[string]map[int][]byte{}}
	r.ctx, r.stop = context.WithCancel(ctx)
	r.srv = &http.Server{Handler: http.HandlerFunc(r.serve), ConnContext: remember, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: 30 * time.Second}
	go r.srv.Serve(&listener{ln, r})
	return r, nil
}

// close ends everything.
func (r *relay) close() {
	r.stop()
	r.srv.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.kept {
		c.Close()
	}
}

// set changes the plan.
func (r *relay) set(p plan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan = p
}

func (r *relay) now() plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plan
}

// listener makes TLS connections whose content is kept.
type listener struct {
	net.Listener
	r *relay
}

func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := tls.Server(cork.New(raw), &tls.Config{Certificates: []tls.Certificate{l.r.vendor.tls}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	l.r.hold(c)
	return l.r.tape.conn(c, "a connection"), nil
}

func (r *relay) hold(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, c)
}

type connKey struct{}

func remember(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// serve answers every request. Nobody is turned away: this relay lets everybody
// do everything.
func (r *relay) serve(w http.ResponseWriter, req *http.Request) {
	if c, ok := req.Context().Value(connKey{}).(*taped); ok {
		state := c.Conn.(*tls.Conn).ConnectionState()
		req.TLS = &state
	}
	p := r.now()
	if p.refuse != nil {
		if e := p.refuse(req.URL.Path); e != nil {
			answerError(w, e)
			return
		}
	}
	if p.stall != nil && p.stall(req.URL.Path) {
		<-r.ctx.Done()
		return
	}
	if err := r.route(w, req); err != nil {
		var e *api.Error
		if !errors.As(err, &e) {
			e = api.Errorf(http.StatusInternalServerError, api.CodeInternal, "%v", err)
		}
		answerError(w, e)
	}
}

func (r *relay) route(w http.ResponseWriter, req *http.Request) error {
	switch path := req.URL.Path; path {
	case api.PathChallenge:
		return r.challenge(w)
	case api.PathToken:
		return r.token(w, req)
	case api.PathHealth:
		return reply(w, api.Health{Status: "ok", Name: "Test Vendor", Version: api.Version, Time: time.Now()})
	case api.PathVendor:
		if p := r.now(); p.record != nil {
			return reply(w, p.record)
		}
		return reply(w, r.vendor.record)
	case api.PathRevoked:
		return r.revocations(w)
	case msg.PathLink, msg.PathCarry, msg.PathConnect:
		who, err := r.who(req)
		if err != nil {
			return err
		}
		return r.upgrade(w, req, who)
	default:
		return r.recording(w, req)
	}
}

func (r *relay) accepter() *link.Accepter {
	p, key := r.now(), r.vendor.receipt
	if p.sign != nil {
		key = p.sign
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return &link.Accepter{AllowRaw: !p.framed, Pass: r.passes, Sign: func(m []byte) ([]byte, error) {
		return identity.Sign(key, link.Namespace, bytes.NewReader(m))
	}}
}

// upgrade takes a connection over.
func (r *relay) upgrade(w http.ResponseWriter, req *http.Request, who principal) error {
	l, err := r.accepter().Accept(w, req)
	if err != nil {
		var e *api.Error
		if errors.As(err, &e) {
			return err
		}
		return nil // closed already
	}
	conn := r.tape.conn(l, req.URL.Path)
	q := req.URL.Query()
	switch req.URL.Path {
	case msg.PathLink:
		go r.control(conn, who.id())
	case msg.PathCarry:
		r.carry(conn, who.id(), q.Get(msg.QueryTicket))
	default:
		go r.connect(conn, who, q.Get(msg.QuerySystem))
	}
	return nil
}

// control serves a control stream.
func (r *relay) control(conn net.Conn, system string) {
	defer conn.Close()
	c := &line{conn: conn, in: msg.NewReader(conn), system: system, gone: make(chan struct{}), bye: make(chan string, 1)}
	defer close(c.gone)
	m, err := c.in.Next()
	hello, ok := m.(*msg.Hello)
	if err != nil || !ok {
		return
	}
	c.hello = *hello
	if p := r.now(); p.welcome != nil {
		err = p.welcome(c)
	} else {
		err = c.tell(&msg.Welcome{V: msg.Version, Node: "loopback", Revoked: r.revoked()})
	}
	if err != nil {
		return
	}
	r.mu.Lock()
	r.links[system] = c
	r.mu.Unlock()
	defer func() { // not at the beginning: the first spare comes with the control stream, or before it
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.links[system] == c {
			r.spares[system] = nil
		}
	}()
	for {
		m, err := c.in.Next()
		if err != nil {
			return
		}
		switch m := m.(type) {
		case *msg.Ping:
			err = c.tell(&msg.Pong{N: m.N, Revoked: r.revoked()})
		case *msg.Hello:
			c.hello = *m
		case *msg.Bye:
			c.bye <- m.Reason
			return
		}
		if err != nil {
			return
		}
	}
}

// link is the control stream of a system, if there is one.
func (r *relay) link(system string) *line {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.links[system]
}

// carry takes a dial-back, or a spare.
func (r *relay) carry(conn net.Conn, system, ticket string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carries++
	if ticket == "" {
		r.spares[system] = append(r.spares[system], conn)
		return
	}
	if c, ok := r.tickets[ticket]; ok {
		delete(r.tickets, ticket)
		c <- conn
		return
	}
	conn.Close()
}

var errNoAnswer = errors.New("the system does not dial back")

// ask has a system dial back, and returns the connection before its start.
func (r *relay) ask(system, id string, wait time.Duration) (net.Conn, error) {
	c := r.link(system)
	if c == nil {
		return nil, errors.New("the system has no open session")
	}
	if conn := r.spare(system); conn != nil {
		return conn, nil
	}
	ticket, back := api.NewTicket(), make(chan net.Conn, 1)
	r.mu.Lock()
	r.tickets[ticket] = back
	r.mu.Unlock()
	if err := c.tell(&msg.Dial{Ticket: ticket, Connection: id}); err != nil {
		return nil, err
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case conn := <-back:
		return conn, nil
	case <-t.C:
		return nil, errNoAnswer
	case <-r.ctx.Done():
		return nil, r.ctx.Err()
	}
}

// spare takes the connection that a system keeps dialled, and waits for it for
// some seconds: with it there is no limit to how often the relay may try.
func (r *relay) spare(system string) net.Conn {
	for range 800 {
		r.mu.Lock()
		if all := r.spares[system]; len(all) > 0 {
			conn := all[len(all)-1]
			r.spares[system] = nil
			r.mu.Unlock()
			return conn
		}
		r.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// patience is how long the relay waits for what comes at once on loopback.
const patience = 10 * time.Second

// alone connects to a system without any engineer: what follows is the
// handshake.
func (r *relay) alone(system string) (net.Conn, error) {
	id := api.NewConnectionID()
	conn, err := r.ask(system, id, patience)
	if err != nil {
		return nil, err
	}
	if err := msg.Write(conn, &msg.Start{Connection: id, Engineer: "nobody", From: "relay"}); err != nil {
		return nil, err
	}
	return conn, nil
}

// connect joins an engineer to a system.
func (r *relay) connect(engineer net.Conn, who principal, system string) {
	p := r.now()
	if p.lead != nil {
		system = p.lead(system)
	}
	refuse := func(code api.Code, text string) {
		msg.Write(engineer, &msg.Refuse{Code: string(code), Message: text})
		engineer.Close()
	}
	id := api.NewConnectionID()
	toSystem := &msg.Start{Connection: id, Node: "loopback", Engineer: who.name(), From: "127.0.0.1"}
	toEngineer := &msg.Start{Connection: id, Node: "loopback", System: system}
	if p.say != nil {
		p.say(toSystem, true)
		p.say(toEngineer, false)
	}
	conn, err := r.ask(system, toSystem.Connection, patience)
	if err != nil {
		refuse(api.CodeNoAnswer, "the system does not answer")
		return
	}
	if msg.Write(conn, toSystem) != nil || msg.Write(engineer, toEngineer) != nil {
		conn.Close()
		engineer.Close()
		return
	}
	r.mu.Lock()
	s := &splice{r: r, n: len(r.splices), id: toSystem.Connection, system: conn, engineer: engineer}
	r.splices = append(r.splices, s)
	r.mu.Unlock()
	if p.join != nil {
		p.join(s)
		return
	}
	s.pass()
}

// count is how many engineers' connections there were.
func (r *relay) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.splices)
}

// splice returns the n-th engineer's connection, or the last for -1.
func (r *relay) splice(n int) *splice {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n < 0 {
		n += len(r.splices)
	}
	if n < 0 || n >= len(r.splices) {
		return nil
	}
	return r.splices[n]
}

// pass passes units on, both ways, as the plan of the moment wants it.
func (s *splice) pass() {
	var both sync.WaitGroup
	both.Go(func() { s.pump(s.system, s.engineer, true) })
	both.Go(func() { s.pump(s.engineer, s.system, false) })
	both.Wait()
	s.close()
}

func (s *splice) close() {
	s.system.Close()
	s.engineer.Close()
}

// cut ends both connections as a broken line does.
func (s *splice) cut() { s.close() }

func (s *splice) pump(to, from net.Conn, up bool) {
	in := reader{r: from, up: up}
	for {
		u, err := in.next()
		if err != nil {
			if err == io.EOF && s.descend(to, from, up) {
				return
			}
			if c, ok := to.(*taped); !ok || c.CloseWrite() != nil {
				s.close()
			}
			return
		}
		s.mu.Lock()
		s.units = append(s.units, unit{up: u.up, frame: u.frame, kind: u.kind, n: u.n, b: bytes.Clone(u.b)})
		s.mu.Unlock()
		for _, b := range s.meddled(u) {
			if _, err := to.Write(b); err != nil {
				s.close()
				return
			}
		}
	}
}

// meddled is what becomes of a unit.
func (s *splice) meddled(u unit) [][]byte {
	p := s.r.now()
	meddle := p.down
	if u.up {
		meddle = p.up
	}
	if meddle == nil || s.n < p.from {
		return [][]byte{u.b}
	}
	return meddle(s, u)
}

// seen are the units that passed so far in one direction.
func (s *splice) seen(up bool) []unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []unit
	for _, u := range s.units {
		if u.up == up {
			out = append(out, u)
		}
	}
	return out
}

// handshakeSeen are the messages of the handshake of a kind that passed.
func (s *splice) handshakeSeen(kind byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.units {
		if !u.frame && u.kind == kind {
			return bytes.Clone(u.payload())
		}
	}
	return nil
}

// principal is who logged in.
type principal struct {
	kind api.Kind
	key  ssh.PublicKey
}

func (p principal) id() string { return identity.IDOf(p.key) }

func (p principal) name() string {
	if p.kind == api.KindSystem {
		return p.id()
	}
	return "engineer " + ssh.FingerprintSHA256(p.key)[7:15]
}
