package plugintest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/failure"
	"github.com/latchstring/latchstring/sdk/transport"
)

// Transport runs the conformance suite of transports against what newImpl
// makes.
func Transport(t *testing.T, newImpl func() transport.Transport, opts ...Options) {
	t.Helper()
	runSuite(t, wire.RoleTransport, first(opts), func() any { return newImpl() })
}

// cancelLimit is how soon a dial must end after its context.
const cancelLimit = 100 * time.Millisecond

var transportCases = []aCase{
	{"echo", "bytes arrive, all and in order, in both directions", testEcho},
	{"half-close", "the end of one direction arrives and leaves the other open; skip it where the protocol has no such thing", testHalfClose},
	{"residual", "bytes that come in one piece with the proxy's answer are not lost", testResidual},
	{"slow", "a proxy that answers byte by byte is understood", testSlow},
	{"many-at-once", "dials run concurrently", testManyAtOnce},
	{"cancel", "a cancelled dial ends within 100 ms, at every step", testCancel},
	{"timeout", "a dial that gets no answer fails as a time-out", testTimeout},
	{"refused", "a port where nobody listens is reported as that", testRefused},
	{"bad-target", "a target that is no address is an error, not a panic", testBadTarget},
	{"hang-up", "a proxy that hangs up in the middle is an error that says so", testHangUp},
	{"nonsense", "a proxy that talks nonsense, even without end, is an error that says so", testNonsense},
	{"leak", "1,000 dials, good and bad, leave no descriptor and no goroutine", testDialLeak},
	{"probe", "a probe reports its steps and leaves no connection open", testProbe},
	{"survive", "a connection outlives the plugin that made it", testSurvive},
}

// dial does what a host does: call, take the descriptor, put the residual
// bytes in front.
func (c *check) dial(ctx context.Context, l *link, target string) (net.Conn, *pluginv1.DialResponse, error) {
	id := l.channel.NewID()
	resp, err := l.transport.Dial(ctx, &pluginv1.DialRequest{Handoff: id, Network: "tcp", Address: target})
	if err != nil {
		l.channel.Forget(id)
		return nil, nil, fmt.Errorf("dial: %w", err)
	}
	c.noCanary("the note of a dial", resp.GetNote())
	if resp.GetFailure() != nil {
		l.channel.Forget(id)
		return nil, resp, nil
	}
	f, err := l.channel.Take(ctx, id)
	if err != nil {
		return nil, nil, fmt.Errorf("the dial succeeded, but no descriptor came: %w", err)
	}
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, nil, fmt.Errorf("the descriptor is no connection: %w", err)
	}
	if r := resp.GetResidual(); len(r) > 0 {
		return &prefixed{Conn: conn, head: bytes.NewReader(r)}, resp, nil
	}
	return conn, resp, nil
}

// mustDial dials and fails the case when that does not work.
func (c *check) mustDial(l *link, target string) net.Conn {
	c.Helper()
	conn, resp, err := c.dial(c.ctx(10*time.Second), l, target)
	if err != nil {
		c.Fatalf("%v", err)
	}
	if resp.GetFailure() != nil {
		c.Fatalf("dial %s: %v", target, wire.ErrorOf(resp.GetFailure()))
	}
	c.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

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

func closeWrite(conn net.Conn) error {
	if p, ok := conn.(*prefixed); ok {
		conn = p.Conn
	}
	return conn.(interface{ CloseWrite() error }).CloseWrite()
}

// echo is a target that sends back what it gets.
func echo(conn net.Conn) {
	io.Copy(plainly{conn}, plainly{conn})
	conn.(*net.TCPConn).CloseWrite()
}

func testEcho(c *check) {
	l, target := c.start(c.proxy(wellBehaved)), c.listen(echo)
	conn := c.mustDial(l, target)
	sent := make([]byte, 1<<20)
	rand.Read(sent)
	go conn.Write(sent)
	sum := sha256.New()
	n, err := io.CopyN(sum, conn, int64(len(sent)))
	if want := sha256.Sum256(sent); err != nil || n != int64(len(sent)) || !bytes.Equal(sum.Sum(nil), want[:]) {
		c.Errorf("sent %d bytes, %d came back, the same: %v, error: %v", len(sent), n, bytes.Equal(sum.Sum(nil), want[:]), err)
	}
}

func testHalfClose(c *check) {
	target := c.listen(func(conn net.Conn) {
		got, _ := io.ReadAll(conn) // until the client has ended its half
		io.WriteString(conn, strings.ToUpper(string(got)))
	})
	conn := c.mustDial(c.start(c.proxy(wellBehaved)), target)
	io.WriteString(conn, "question")
	if err := closeWrite(conn); err != nil {
		c.Fatalf("end the sending half: %v", err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != "QUESTION" {
		c.Errorf("after the sending half ended: %q, %v; want the answer and then the end", got, err)
	}

	// And the other way round: the target ends first.
	heard := make(chan string, 1)
	target = c.listen(func(conn net.Conn) {
		conn.(*net.TCPConn).CloseWrite()
		got, _ := io.ReadAll(conn)
		heard <- string(got)
	})
	conn = c.mustDial(c.start(c.proxy(wellBehaved)), target)
	if got, err := io.ReadAll(conn); err != nil || len(got) > 0 {
		c.Errorf("read %q, %v, want the end", got, err)
	}
	io.WriteString(conn, "still here")
	conn.Close()
	select {
	case got := <-heard:
		if got != "still here" {
			c.Errorf("after the target ended its half it got %q", got)
		}
	case <-time.After(10 * time.Second):
		c.Errorf("the target never saw the end of the connection")
	}
}

func testResidual(c *check) {
	if c.opts.Proxy == nil {
		c.Skipf("the transport speaks to no proxy")
	}
	banner := "SSH-2.0-banner\r\n" + strings.Repeat("0123456789abcdef", 256)
	target := c.listen(func(conn net.Conn) {
		io.WriteString(conn, banner)
		echo(conn)
	})
	conn := c.mustDial(c.start(c.proxy(eager)), target)
	io.WriteString(conn, "and more")
	want := banner + "and more"
	got := make([]byte, len(want))
	conn.SetDeadline(time.Now().Add(c.patience()))
	if n, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		c.Errorf("read %d bytes of %d, %v; return transport.Buffered(conn, reader) from Dial", n, len(want), err)
	}
}

func testSlow(c *check) {
	if c.opts.Proxy == nil {
		c.Skipf("the transport speaks to no proxy")
	}
	conn := c.mustDial(c.start(c.proxy(slow)), c.listen(echo))
	io.WriteString(conn, "patience")
	got := make([]byte, len("patience"))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "patience" {
		c.Errorf("through a slow proxy: %q, %v", got, err)
	}
}

func testManyAtOnce(c *check) {
	l, target := c.start(c.proxy(wellBehaved)), c.listen(echo)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			conn, resp, err := c.dial(c.ctx(20*time.Second), l, target)
			if err != nil || resp.GetFailure() != nil {
				c.Errorf("dial %d of 20 at once: %v, %v", i, err, wire.ErrorOf(resp.GetFailure()))
				return
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			msg := fmt.Sprintf("number %d", i)
			io.WriteString(conn, msg)
			got := make([]byte, len(msg))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != msg {
				c.Errorf("connection %d brought %q, %v", i, got, err)
			}
		})
	}
	all.Wait()
}

// steps are the points at which a proxy may fall silent.
var steps = []struct {
	name string
	m    manners
}{
	{"before its first byte", silent},
	{"after its first byte", stutters(1)},
	{"after two bytes", stutters(2)},
	{"in the middle of its answer", stutters(9)},
}

func testCancel(c *check) {
	c.cancelWhileConnecting()
	if c.opts.Proxy == nil {
		return
	}
	target := c.listen(echo)
	for _, step := range steps {
		connected, gone := make(chan struct{}, 8), make(chan struct{}, 8)
		l := c.start(c.proxy(func(c *check, conn net.Conn) {
			connected <- struct{}{}
			step.m(c, conn) // returns when the plugin hangs up
			gone <- struct{}{}
		}))
		c.within("proxy silent "+step.name+": ending a cancelled dial", cancelLimit, func() time.Duration {
			ctx, cancel := context.WithCancel(c.ctx(10 * time.Second))
			defer cancel()
			var began time.Time
			go func() {
				<-connected
				time.Sleep(30 * time.Millisecond) // into the dialogue
				began = time.Now()
				cancel()
			}()
			if conn, resp, err := c.dial(ctx, l, target); err == nil && conn != nil {
				conn.Close()
				c.Errorf("proxy silent %s: the dial succeeded: %v", step.name, resp)
				return 0
			}
			<-ctx.Done()
			select {
			case <-gone:
				l.idle()
				return time.Since(began)
			case <-time.After(500 * time.Millisecond):
				return 500 * time.Millisecond
			}
		})
		if c.Failed() {
			return // the other steps take their time, too
		}
	}
}

// cancelWhileConnecting cancels a dial to a port that takes no connection and
// refuses none either.
func (c *check) cancelWhileConnecting() {
	c.Helper()
	hole := c.blackHole()
	l := c.start(hole)
	target := hole
	if c.opts.Proxy != nil {
		target = "127.0.0.1:9"
	}
	c.within("ending a dial that was cancelled while it connected", cancelLimit, func() time.Duration {
		ctx, cancel := context.WithCancel(c.ctx(10 * time.Second))
		defer cancel()
		time.AfterFunc(50*time.Millisecond, cancel)
		conn, _, err := c.dial(ctx, l, target)
		if err == nil && conn != nil {
			conn.Close()
			c.Errorf("a dial to a port that takes no connection succeeded")
		}
		<-ctx.Done()
		return l.idle()
	})
}

// blackHole returns an address to which a connect hangs: its queue is full.
func (c *check) blackHole() string {
	c.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.Cleanup(func() { unix.Close(fd) })
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 0)); err != nil {
		c.Fatalf("%v", err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		c.Fatalf("%v", err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", sa.(*unix.SockaddrInet4).Port)
	for range 16 { // one or two fill it
		conn, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		if err != nil {
			return addr
		}
		c.Cleanup(func() { conn.Close() })
	}
	c.Skipf("this kernel's listen queue does not fill up")
	return ""
}

func testTimeout(c *check) {
	proxy, target := "", c.listen(echo)
	if c.opts.Proxy != nil {
		proxy = c.proxy(silent)
	} else {
		target = c.blackHole()
	}
	l := c.start(proxy)
	id := l.channel.NewID()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	resp, err := l.transport.Dial(ctx, &pluginv1.DialRequest{Handoff: id, Network: "tcp", Address: target})
	l.channel.Forget(id)
	if took := time.Since(began); took > 2*time.Second {
		c.Errorf("a dial with 200 ms of time took %v", took)
	}
	if err == nil { // else the host gave up first, which is as good
		c.failure("dial that gets no answer", resp.GetFailure(), failure.Timeout, failure.Cancelled)
	}
}

func (c *check) deadPort() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatalf("%v", err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func testRefused(c *check) {
	dead := c.deadPort()
	l := c.start(dead)
	target := dead
	if c.opts.Proxy != nil {
		target = c.listen(echo)
	}
	_, resp, err := c.dial(c.ctx(10*time.Second), l, target)
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.failure("dial where nobody listens", resp.GetFailure(), failure.Refused)
}

func testBadTarget(c *check) {
	l := c.start(c.proxy(silent))
	for _, target := range []string{"", ":", "no-port", "127.0.0.1:99999", "[::1", "127.0.0.1:", "a b:80", "x\r\nHost: y:80", strings.Repeat("a", 70000) + ":1", "127.0.0.1:-1"} {
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Millisecond)
		conn, resp, err := c.dial(ctx, l, target)
		cancel()
		switch {
		case conn != nil:
			conn.Close()
			c.Errorf("dial %.40q succeeded", target)
		case err == nil:
			c.failure(fmt.Sprintf("dial %.40q", target), resp.GetFailure())
		}
	}
}

func testHangUp(c *check) {
	if c.opts.Proxy == nil {
		c.Skipf("the transport speaks to no proxy")
	}
	for _, after := range []int{0, 1, 2, 9} {
		l := c.start(c.proxy(hangsUp(after)))
		_, resp, err := c.dial(c.ctx(10*time.Second), l, c.listen(echo))
		if err != nil {
			c.Fatalf("%v", err)
		}
		c.failure(fmt.Sprintf("proxy hangs up after %d bytes", after), resp.GetFailure(), failure.Reset, failure.ProxyBroken, failure.ProxyRefused)
	}
}

func testNonsense(c *check) {
	if c.opts.Proxy == nil {
		c.Skipf("the transport speaks to no proxy")
	}
	size := 4 << 20
	for name, text := range map[string]string{
		"an empty answer":        "",
		"random text":            "%$!?\x00\x01\xff nothing of the kind\r\n\r\n",
		"another protocol":       "SSH-2.0-OpenSSH_9.9\r\n",
		"a header without end":   "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", size),
		"headers without end":    "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-Header: y\r\n", size/13),
		"white space to no end":  strings.Repeat(" ", size),
		"zeros":                  strings.Repeat("\x00", 4096),
		"continues and no more":  strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 200),
		"an answer that refuses": "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
	} {
		l := c.start(c.proxy(babbles(text)))
		conn, resp, err := c.dial(c.ctx(10*time.Second), l, c.listen(echo))
		switch {
		case err != nil:
			c.Errorf("proxy answers %s: %v", name, err)
		case conn != nil:
			conn.Close()
			c.Errorf("proxy answers %s: taken for success", name)
		default:
			c.failure("proxy answers "+name, resp.GetFailure(), failure.ProxyBroken, failure.ProxyRefused, failure.ProxyAuth, failure.Reset, failure.TLS)
		}
	}
}

func testDialLeak(c *check) {
	rounds := 1000
	if c.opts.Short {
		rounds = 100
	}
	target := c.listen(echo)
	links := []*link{c.start(c.proxy(wellBehaved))}
	if c.opts.Proxy != nil {
		links = append(links, c.start(c.proxy(hangsUp(3))))
	}
	once := func(l *link) {
		conn, _, err := c.dial(c.ctx(10*time.Second), l, target)
		if err != nil {
			c.Fatalf("%v", err)
		}
		if conn != nil {
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			io.WriteString(conn, "x")
			io.ReadFull(conn, make([]byte, 1))
			conn.Close()
		}
	}
	for _, l := range links { // what is made once is no leak
		for range 5 {
			once(l)
		}
	}
	time.Sleep(50 * time.Millisecond)
	before := make([]int, len(links))
	for i, l := range links {
		before[i], _ = l.descriptors()
	}
	goroutines := runtime.NumGoroutine()
	for i := range rounds {
		once(links[i%len(links)])
	}
	for i, l := range links {
		c.settled(l, before[i]+4)
	}
	deadline := time.Now().Add(c.patience())
	for runtime.NumGoroutine() > goroutines+8 {
		if time.Now().After(deadline) {
			c.Errorf("%d goroutines before %d dials, %d after", goroutines, rounds, runtime.NumGoroutine())
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func testProbe(c *check) {
	l := c.start(c.proxy(wellBehaved))
	if !hasTrait(c.desc, wire.TraitProbe) {
		c.Skipf("the transport shows no steps")
	}
	probe := func(l *link, target string) (steps []*pluginv1.ProbeStep) {
		stream, err := l.transport.Probe(c.ctx(10*time.Second), &pluginv1.DialRequest{Network: "tcp", Address: target})
		if err != nil {
			c.Fatalf("probe: %v", err)
		}
		for {
			step, err := stream.Recv()
			if err == io.EOF {
				return steps
			}
			if err != nil {
				c.Fatalf("probe: %v", err)
			}
			c.noCanary("a step of a probe", step.GetName()+step.GetDetail())
			steps = append(steps, step)
		}
	}
	before, _ := l.descriptors()
	got := probe(l, c.listen(echo))
	if len(got) == 0 {
		c.Errorf("a probe without steps")
	}
	for _, step := range got {
		if step.GetFailure() != nil || step.GetName() == "" {
			c.Errorf("step %q of a probe that should work: %v", step.GetName(), wire.ErrorOf(step.GetFailure()))
		}
	}
	c.settled(l, before+6) // the echo server's ends live in this process too

	dead := c.deadPort()
	got = probe(c.start(dead), dead)
	if len(got) == 0 || got[len(got)-1].GetFailure() == nil {
		c.Errorf("a probe where nobody listens reports no failed step")
		return
	}
	c.failure("probe where nobody listens", got[len(got)-1].GetFailure(), failure.Refused)
}

func testSurvive(c *check) {
	l, target := c.start(c.proxy(wellBehaved)), c.listen(echo)
	if l.kill == nil {
		c.Skipf("needs a process of its own; plugincheck BINARY tests this")
	}
	conn, resp, err := c.dial(c.ctx(10*time.Second), l, target)
	if err != nil || resp.GetFailure() != nil {
		c.Fatalf("dial: %v, %v", err, wire.ErrorOf(resp.GetFailure()))
	}
	defer conn.Close()
	if resp.GetPumped() {
		c.Skipf("the connection runs through the plugin; it cannot")
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	l.kill()
	<-l.channel.Done()
	io.WriteString(conn, "still here")
	got := make([]byte, len("still here"))
	if _, err := io.ReadFull(conn, got); err != nil {
		c.Errorf("after the plugin was killed: %v", err)
	}
}

func hasTrait(d wire.RoleDescription, trait string) bool {
	for _, t := range d.Traits {
		if t == trait {
			return true
		}
	}
	return false
}
