package link

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/ws"
)

// stripper inspects TLS and passes nothing on that it does not know.
func stripper(t *testing.T, own *authority, relay *testRelay, request, answer bool) (address string, connections *atomic.Int64) {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own.leaf}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	connections = new(atomic.Int64)
	one := func(in net.Conn) {
		defer in.Close()
		out, err := tls.Dial("tcp", relay.address, &tls.Config{RootCAs: relay.pool})
		if err != nil {
			return
		}
		defer out.Close()
		fromIn, fromOut := bufio.NewReader(in), bufio.NewReader(out)
		req, err := http.ReadRequest(fromIn)
		if err != nil {
			return
		}
		if request {
			req.Header.Del(greetingHeader)
		}
		req.Write(out)
		resp, err := http.ReadResponse(fromOut, req)
		if err != nil {
			return
		}
		if answer {
			resp.Header.Del(answerHeader)
		}
		fmt.Fprintf(in, "HTTP/1.1 %s\r\n", resp.Status)
		resp.Header.Write(in)
		io.WriteString(in, "\r\n")
		go func() { io.Copy(out, fromIn); out.Close() }()
		io.Copy(in, fromOut)
	}
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go one(in)
		}
	}()
	return ln.Addr().String(), connections
}

// Where something takes our headers away the greeting goes in frames, and is
// tried in the header once only.
func TestHeadersLost(t *testing.T) {
	for _, way := range []struct{ request, answer bool }{{true, false}, {false, true}} {
		relay, box := newRelay(t), newAuthority(t, "Corporate Inspection CA")
		address, connections := stripper(t, box, relay, way.request, way.answer)
		relay.accept.Patience = 200 * time.Millisecond // for the link that is given up
		c, err := relay.client(t, address).TrustToo(box.pool)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			near, err := (&Dialer{Client: c, RelayKey: relay.key.PublicKey(), Early: []byte("early ")}).Dial(t.Context(), "/v1/link", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer near.Close()
			if !near.Framed || near.InspectedBy == "" {
				t.Errorf("%+v: %+v", way, near)
			}
			far := relay.good(t, near)
			got := make([]byte, 10)
			if _, err := io.ReadFull(far, got); err != nil || string(got) != "early late" {
				t.Errorf("%+v: %q, %v", way, got, err)
			}
			if n := connections.Load(); n != int64(2+i) {
				t.Errorf("%+v: %d connections after %d links", way, n, i+1)
			}
		}
	}
}

// good is the relay's end of a link: the one on which late comes.
func (r *testRelay) good(t *testing.T, near *Conn) *Conn {
	t.Helper()
	fmt.Fprint(near, "late")
	for end := time.After(10 * time.Second); ; {
		select {
		case far := <-r.conns:
			t.Cleanup(func() { far.Close() })
			far.SetReadDeadline(time.Now().Add(5 * time.Second))
			got := make([]byte, 10)
			if _, err := io.ReadFull(far, got); err != nil {
				continue // the one that was given up
			}
			return &Conn{Conn: &prefixed{Conn: far, rest: got}}
		case <-r.errs: // the same
		case <-end:
			t.Fatal("no link at the relay")
		}
	}
}

// One request and one answer make a link, with what is said first.
func TestOneRoundTrip(t *testing.T) {
	for _, early := range []string{"hello", string(bytes.Repeat([]byte("much "), maxEarly))} {
		for _, framed := range []bool{false, true} {
			r := newRelay(t)
			r.accept.AllowRaw = !framed
			near, far := r.link(t, Dialer{Early: []byte(early)})
			if near.Framed != framed || far.Framed != framed || !near.Compared {
				t.Errorf("near %+v, far %+v", near, far)
			}
			got := make([]byte, len(early))
			if _, err := io.ReadFull(far, got); err != nil || string(got) != early {
				t.Errorf("%d bytes, framed %v: %v", len(early), framed, err)
			}
			exchange(t, near, far)
			if !framed {
				if err := near.CloseWrite(); err != nil {
					t.Error(err)
				}
				if n, err := far.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("%d, %v", n, err)
				}
			}
		}
	}
}

// A greeting that is none is refused before the upgrade.
func TestBadGreetingHeader(t *testing.T) {
	r := newRelay(t)
	for _, value := range []string{"%", "aGVsbG8", "e30", string(bytes.Repeat([]byte("A"), 2*maxGreeting+1))} {
		_, err := r.client(t, r.address).UpgradeWith(t.Context(), "/", nil, func(tls.ConnectionState) (http.Header, error) {
			return http.Header{greetingHeader: {value}}, nil
		})
		if err == nil {
			t.Errorf("%.20q is taken", value)
		}
		var a *api.Error
		if err := <-r.errs; !errors.As(err, &a) || a.Status != http.StatusBadRequest {
			t.Errorf("%.20q: %v", value, err)
		}
	}
	// Nor is one in a frame that brings what belongs behind it.
	up, err := r.client(t, r.address).Upgrade(t.Context(), "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	g := newGreeting(nil, false)
	g.Early = []byte("x")
	v, _ := encodeHeader(g)
	b, _ := decodeHeader(v)
	ws.Client(up.Conn).Write(b)
	if err := <-r.errs; err == nil {
		t.Error("early bytes within a message are taken")
	}
}
