package relay_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
	"github.com/latchstring/latchstring/testdata/until"
)

// The spare is used at once, without a dial, and pinged until then.
func TestSpare(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	_, err := link.Dial(t.Context(), p.SystemClient, p.Loaded.ReceiptKey.PublicKey(), msg.PathCarry, nil)
	wantCode(t, err, api.CodeNotOpen) // before there is a session
	s := p.Open(t)
	d := *s.Dialer
	spare, err := d.Dial(t.Context(), msg.PathCarry, map[string][]string{msg.QueryKeepalive: {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer spare.Close()
	until.True(t, "the relay has it", func() bool { return metric(t, p.Relay, "latchstring_rss_spares") == "1" })
	in := msg.NewReader(spare)
	for range 2 {
		m, err := in.Next()
		ping, ok := m.(*msg.Ping)
		if !ok {
			t.Fatalf("the relay says %T, %v", m, err)
		}
		if err := msg.Write(spare, &msg.Pong{N: ping.N}); err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		if _, err := relaytest.Started(spare); err == nil {
			echo(spare, nil)
		}
	}()
	go s.Serve(t.Context(), func(conn net.Conn, _ *msg.Start) { conn.Close() }) // a dial-back would be of no use
	var conn net.Conn
	until.True(t, "the spare is taken", func() bool { // but not while a pong is due
		if conn, _, err = p.Connect(t.Context(), "array-7"); err != nil {
			t.Fatal(err)
		}
		return metric(t, p.Relay, "latchstring_rss_spares") == "0"
	})
	roundTrip(t, conn, 100_000)
	conn.Close()

	// One that talks by itself, or that does not answer, is dropped.
	for name, say := range map[string]string{"talks": "hello?\n", "wrong pong": `{"type":"pong","n":77}` + "\n"} {
		spare, err := d.Dial(t.Context(), msg.PathCarry, map[string][]string{msg.QueryKeepalive: {"1"}})
		if err != nil {
			t.Fatal(err)
		}
		if name == "wrong pong" {
			msg.NewReader(spare).Next()
		}
		io.WriteString(spare, say)
		ended(t, "a spare that "+name, spare)
		spare.Close()
	}
}

// Everything through one connection, where a proxy allows no second.
func TestMux(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	conn, err := link.Dial(t.Context(), p.SystemClient, p.Loaded.ReceiptKey.PublicKey(), msg.PathLink, map[string][]string{msg.QueryMux: {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	mux, err := link.Mux(conn, true)
	if err != nil {
		t.Fatal(err)
	}
	defer mux.Close()
	control, err := mux.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	if err := msg.Write(control, &msg.Hello{V: 1, Session: api.NewSessionID(), Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	in := msg.NewReader(control)
	if m, err := in.Next(); err != nil {
		t.Fatalf("%T, %v", m, err)
	}
	go func() {
		for {
			stream, err := mux.AcceptStream()
			if err != nil {
				return
			}
			go func() {
				if _, err := relaytest.Started(stream); err == nil {
					echo(stream, nil)
				}
			}()
		}
	}()
	for range 3 {
		c, _, err := p.Connect(t.Context(), "array-7")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		roundTrip(t, c, 300_000)
	}
	if err := relay.Local(p.Server).Call(t.Context(), "POST", "/admin/engineers/ada/revoke", nil, nil); err != nil {
		t.Fatal(err)
	}
	until.True(t, "the connections are cut", func() bool { return metric(t, p.Relay, "latchstring_rss_connections") == "0" })
	if err := msg.Write(control, &msg.Ping{N: 5}); err != nil {
		t.Fatal(err)
	}
	if m, err := in.Next(); err != nil || m.(*msg.Pong).N != 5 {
		t.Errorf("the session after that: %T, %v", m, err)
	}
}

// REQ A9: the goodbye of a system that disabled remote access for good.
func TestSeal(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t)
	s := p.Open(t)
	go s.Serve(t.Context(), echo)
	conn, _, err := p.Connect(t.Context(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	statement := string(seal.Record{SealedAt: time.Now(), Host: "array-7", System: p.System.ID(), By: "uid:0(root)", Cause: "remote-support disable --permanently"}.Statement())
	sign := func(by *identity.System, namespace, text string) string {
		sig, err := by.Sign(namespace, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return string(sig)
	}
	anybody, err := client.New(client.Options{Address: p.Address, Trust: client.Trust{Pin: ptr(p.Loaded.Pin())}})
	if err != nil {
		t.Fatal(err)
	}
	send := func(statement, signature string) error {
		var resp api.SealResponse
		return anybody.JSON(t.Context(), "POST", api.PathSeal, nil, false, api.SealRequest{Statement: statement, Signature: signature}, &resp)
	}
	other, _ := p.Enroll("array-8")
	good := sign(p.System, seal.Namespace, statement)
	wantCode(t, send(statement, sign(other, seal.Namespace, statement)), api.CodeBadSignature)
	wantCode(t, send(statement, sign(p.System, identity.NamespaceRSS, statement)), api.CodeBadSignature)
	wantCode(t, send(statement+"\n", good), api.CodeBadSignature)
	wantCode(t, send("system: "+p.System.ID(), good), api.CodeBadRequest)
	wantCode(t, send(statement+"system: "+other.ID()+"\n", good), api.CodeBadRequest)
	roundTrip(t, conn, 10) // nothing of that did anything

	if err := send(statement, good); err != nil {
		t.Fatal(err)
	}
	ended(t, "the engineer's connection", conn)
	if err := send(statement, good); err != nil {
		t.Errorf("said twice: %v", err)
	}
	again := func() {
		t.Helper()
		_, err = relaytest.Announce(t.Context(), p.ClientOf(p.System, p.Vendor), p.Vendor)
		wantCode(t, err, api.CodeSealed)
		_, _, err = p.Connect(t.Context(), "array-7")
		wantCode(t, err, api.CodeSealed)
	}
	again()
	// Neither a new token nor a restart changes that.
	var tok relay.NewTokenResponse
	if err := relay.Local(p.Server).Call(t.Context(), "POST", "/admin/tokens", relay.NewTokenRequest{System: "array-7", Valid: time.Hour, Replace: true}, &tok); err != nil {
		t.Fatal(err)
	}
	parsed, err := api.ParseToken(tok.Token)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Enroll(t.Context(), p.System, parsed, "", "", nil)
	wantCode(t, err, api.CodeSealed)
	p.Stop()
	p.Start()
	again()

	// A statement that leaves bundles ends sessions only.
	leave := string(seal.Record{SealedAt: time.Now(), Host: "array-8", System: other.ID(), Bundles: true}.Statement())
	if err := send(leave, sign(other, seal.Namespace, leave)); err != nil {
		t.Fatal(err)
	}
	c := p.ClientOf(other, p.Vendor)
	if _, err := newUpload(t, c, "a bundle").create(); err != nil {
		t.Errorf("a bundle of a system that left bundles: %v", err)
	}
	_, err = relaytest.Announce(t.Context(), c, p.Vendor)
	wantCode(t, err, api.CodeSealed)
}

func sealedSegment(connection string, n int, text string) string {
	return fmt.Sprintf("{\"v\":1,\"recording\":%q,\"segment\":%d}\nsignature\nage-encryption.org/v1\n-> X25519 abc\n%s", connection, n, text)
}

func post(t *testing.T, c *client.Client, connection string, n int, body string) (api.Segment, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", c.URL(api.SegmentPath(connection, n), nil), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req, true)
	if err != nil {
		return api.Segment{}, err
	}
	defer resp.Body.Close()
	var seg api.Segment
	return seg, decodeJSON(resp.Body, &seg)
}

func fetch(t *testing.T, c *client.Client, connection string, n int) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", c.URL(api.SegmentPath(connection, n), nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req, true)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// Recordings: append-only, sealed, bounded, for those who may.
func TestRecordings(t *testing.T) {
	t.Parallel()
	t.Run("directory", func(t *testing.T) { recordings(t) })
	t.Run("bucket", func(t *testing.T) { recordings(t, inBucket(t)) })
}

func recordings(t *testing.T, change ...func(*relaytest.Relay)) {
	p := relaytest.NewPair(t, append(change, func(r *relaytest.Relay) {
		r.Configure = func(c *setup.Config) { c.Remote.MaxSegment, c.Remote.Recordings = 300<<10, 1 }
	})...)
	id := api.NewConnectionID()
	first := sealedSegment(id, 0, "first")
	seg, err := post(t, p.SystemClient, id, 0, first)
	if err != nil || seg.Size != int64(len(first)) {
		t.Fatalf("%+v, %v", seg, err)
	}
	if again, err := post(t, p.SystemClient, id, 0, first); err != nil || again.SHA256 != seg.SHA256 {
		t.Errorf("the same again: %v", err)
	}
	_, err = post(t, p.SystemClient, id, 0, sealedSegment(id, 0, "forged"))
	wantCode(t, err, api.CodeSegmentExists)
	for name, body := range map[string]string{
		"plain":            `{"v":1,"recording":"` + id + `","segment":1}` + "\nsignature\nthe plain bytes",
		"another segment":  sealedSegment(id, 2, "x"),
		"another":          sealedSegment(api.NewConnectionID(), 1, "x"),
		"without a header": "age-encryption.org/v1\n",
		"empty":            "",
	} {
		_, err := post(t, p.SystemClient, id, 1, body)
		if wantCode(t, err, api.CodeBadRequest); t.Failed() {
			t.Fatal(name)
		}
	}
	_, err = post(t, p.SystemClient, id, 1, sealedSegment(id, 1, strings.Repeat("x", 400<<10)))
	wantCode(t, err, api.CodeTooLarge)
	_, err = post(t, p.SystemClient, "con-..%2fetc", 1, "x")
	wantCode(t, err, api.CodeNotFound)
	_, err = post(t, p.Engineer, id, 1, sealedSegment(id, 1, "x"))
	wantCode(t, err, api.CodeForbidden)
	for n := 1; ; n++ {
		if _, err = post(t, p.SystemClient, id, n, sealedSegment(id, n, strings.Repeat("x", 250<<10))); err != nil {
			break
		}
	}
	wantCode(t, err, api.CodeQuota)

	var list api.RecordingList
	if err := p.Engineer.JSON(t.Context(), "GET", api.PathRecordings, nil, true, nil, &list); err != nil || len(list.Recordings) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	rec := list.Recordings[0]
	if rec.Connection != id || rec.System != p.System.ID() || rec.Segments != 5 || rec.Head == "" {
		t.Errorf("listed as %+v", rec)
	}
	if err := p.SystemClient.JSON(t.Context(), "GET", api.PathRecording+id, nil, true, nil, &rec); err != nil || len(rec.List) != rec.Segments || rec.List[3].N != 3 {
		t.Errorf("%+v, %v", rec, err)
	}
	if got, err := fetch(t, p.Engineer, id, 0); err != nil || got != first {
		t.Errorf("fetched %q, %v", got, err)
	}
	_, err = fetch(t, p.Engineer, id, 99)
	wantCode(t, err, api.CodeNotFound)

	// Others: another system, an engineer of another group, one without access.
	other, v := p.Enroll("array-8")
	oc := p.ClientOf(other, v)
	_, err = fetch(t, oc, id, 0)
	wantCode(t, err, api.CodeNotFound)
	if _, err := post(t, oc, id, 0, sealedSegment(id, 0, "mine")); err != nil {
		t.Errorf("a recording of the same name of another system: %v", err)
	}
	if got, err := fetch(t, p.SystemClient, id, 0); err != nil || got != first {
		t.Errorf("which changed the first: %q, %v", got, err)
	}
	apac, _ := p.EngineerIn("carl", []string{"apac"}, "access")
	_, err = fetch(t, apac, id, 0)
	wantCode(t, err, api.CodeNotFound)
	_, err = fetch(t, p.Relay.Engineer("bob", "bundles"), id, 0)
	wantCode(t, err, api.CodeForbidden)

	p.Stop()
	p.Start()
	logged := strings.Join(events(t, p.Relay, "recording.stored"), "")
	if !strings.Contains(logged, rec.Head) || !strings.Contains(logged, `"segments":"1"`) || !strings.Contains(logged, `"segments":"5"`) {
		t.Errorf("the event log does not vouch for the segments: %s", logged)
	}
	if got, err := fetch(t, p.SystemClient, id, 0); err != nil || got != first {
		t.Errorf("after a restart: %q, %v", got, err)
	}
}

// The relay stops: systems are told when to come back, an engineer who is
// connected has time to finish, new ones are sent away.
func TestDrain(t *testing.T) {
	t.Parallel()
	p := relaytest.NewPair(t, func(r *relaytest.Relay) {
		r.Change = func(o *relay.Options) { o.Drain = 10 * time.Second }
	})
	s := p.Open(t)
	last := make(chan msg.Message, 1)
	go func() { last <- s.Serve(t.Context(), echo) }()
	conn, _, err := p.Connect(t.Context(), "array-7")
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn, 10)
	stopped := make(chan struct{})
	go func() { p.Stop(); close(stopped) }()
	m := <-last
	if d, ok := m.(*msg.Drain); !ok || d.RetryAfter < 1 || d.RetryAfter > 5 {
		t.Errorf("the system is told %T %+v", m, m)
	}
	s.Control.Close()
	_, _, err = p.Connect(t.Context(), "array-7")
	wantCode(t, err, api.CodeUnavailable)
	_, err = relaytest.Announce(t.Context(), p.SystemClient, p.Vendor)
	wantCode(t, err, api.CodeUnavailable)
	roundTrip(t, conn, 1<<20)
	select {
	case <-stopped:
		t.Error("stopped while an engineer is connected")
	default:
	}
	conn.Close()
	select {
	case <-stopped:
	case <-time.After(8 * time.Second):
		t.Error("does not stop although the connection has ended")
	}
	p.Start()
	again, err := relaytest.Announce(t.Context(), p.SystemClient, p.Vendor, func(_ *link.Dialer, h *msg.Hello) { h.Session = s.Hello.Session })
	if err != nil {
		t.Fatal(err)
	}
	again.Control.Close()
	if n := len(events(t, p.Relay, "session.")); n != 1 {
		t.Errorf("%d events about one session across a restart", n)
	}
}

// Crash truth: a relay that was killed does not say that systems are open which
// are not, and the log ends nothing that goes on.
func TestKilled(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 3)
	engineer := f.engineer(t)
	c := startChild(t, f.root)
	var ids []string
	for i := range f.systems {
		sys, v := f.client(t, i)
		s, err := relaytest.Announce(t.Context(), sys, v)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, s.Hello.Session)
		go s.Serve(t.Context(), echo)
	}
	conn, _, err := relaytest.Connect(t.Context(), engineer, f.loaded.ReceiptKey.PublicKey(), "array-0")
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, conn, 1000)
	until.True(t, "presence is written", func() bool {
		files, err := filepath.Glob(f.loaded.Places.Store + "/jetstream/*/streams/KV_rss-presence/msgs/*.blk")
		if err != nil || len(files) == 0 {
			return false
		}
		fi, err := os.Stat(files[0])
		return err == nil && fi.Size() > 0
	})
	c.kill()
	ended(t, "the engineer's connection", conn)
	startChild(t, f.root)
	open := func() (out []string) {
		var list api.SystemList
		if err := engineer.JSON(t.Context(), "GET", api.PathSystems, nil, true, nil, &list); err != nil {
			t.Fatal(err)
		}
		for _, s := range list.Systems {
			if s.Session != nil {
				out = append(out, s.Session.ID)
			}
		}
		return out
	}
	if o := open(); len(o) != 0 {
		t.Errorf("open after a restart: %v", o)
	}
	sys, v := f.client(t, 1)
	s, err := relaytest.Announce(t.Context(), sys, v, func(_ *link.Dialer, h *msg.Hello) { h.Session = ids[1] })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Control.Close()
	if o := open(); len(o) != 1 || o[0] != ids[1] {
		t.Errorf("open after one came back: %v", o)
	}
}

// A crowd comes back after a drain: the times they are told are spread.
func TestDrainIsSpread(t *testing.T) {
	t.Parallel()
	r := relaytest.New(t, func(r *relaytest.Relay) {
		r.Configure = func(c *setup.Config) { c.Remote.ReturnRate = 2 }
	})
	told := make(chan int, 20)
	for i := range 20 {
		sys, v := r.Enroll(fmt.Sprintf("array-%d", i))
		s, err := relaytest.Announce(t.Context(), r.ClientOf(sys, v), v)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if d, ok := s.Serve(context.WithoutCancel(t.Context()), echo).(*msg.Drain); ok {
				told <- d.RetryAfter
				return
			}
			told <- -1
		}()
	}
	r.Stop()
	seen := map[int]int{}
	for range 20 {
		n := <-told
		seen[n]++
		if n < 1 || n > 13 {
			t.Errorf("told to come back after %d s", n)
		}
	}
	if len(seen) < 4 {
		t.Errorf("20 systems come back at %v, where two a second should", seen)
	}
}
