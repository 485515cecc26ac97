package link

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/tunnel/cork"
	"github.com/latchstring/latchstring/core/tunnel/ws"
)

// exchange sends much in both directions at once and compares.
func exchange(t *testing.T, a, b io.ReadWriter) {
	t.Helper()
	const size = 1 << 20
	there, back := bytes.Repeat([]byte("there"), size/5), bytes.Repeat([]byte("and back"), size/8)
	go a.Write(there)
	go b.Write(back)
	for _, dir := range []struct {
		from io.Reader
		want []byte
	}{{b, there}, {a, back}} {
		got := make([]byte, len(dir.want))
		if _, err := io.ReadFull(dir.from, got); err != nil || !bytes.Equal(got, dir.want) {
			t.Fatalf("what arrived differs, %v", err)
		}
	}
}

func TestUnframed(t *testing.T) {
	r := newRelay(t)
	near, far := r.link(t, Dialer{})
	if near.Framed || far.Framed || near.InspectedBy != "" || !near.Compared || !far.Compared {
		t.Errorf("near %+v, far %+v", near, far)
	}
	exchange(t, near, far)
	if _, ok := near.Conn.(*cork.Conn); !ok {
		t.Errorf("the near end is a %T and not TLS itself", near.Conn)
	}
	near.Close()
	if n, err := far.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

func TestFramed(t *testing.T) {
	for name, change := range map[string]func(*testRelay, *Dialer){
		"the relay wants it":  func(r *testRelay, d *Dialer) { r.accept.AllowRaw = false },
		"the client wants it": func(r *testRelay, d *Dialer) { d.StayFramed = true },
	} {
		r := newRelay(t)
		d := Dialer{}
		change(r, &d)
		near, far := r.link(t, d)
		if !near.Framed || !far.Framed || near.InspectedBy != "" {
			t.Errorf("%s: near %+v, far %+v", name, near, far)
		}
		exchange(t, near, far)
		near.Close()
		if n, err := far.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%s: after the end: %d, %v", name, n, err)
		}
	}
}

// What is sent early is there, once, before what is sent later, framed or not.
func TestEarly(t *testing.T) {
	for _, framed := range []bool{false, true} {
		r := newRelay(t)
		near, far := r.link(t, Dialer{Early: []byte("early "), StayFramed: framed})
		fmt.Fprint(near, "late")
		got := make([]byte, 10)
		if _, err := io.ReadFull(far, got); err != nil || string(got) != "early late" {
			t.Errorf("framed %v: %q, %v", framed, got, err)
		}
		exchange(t, near, far)
	}
}

// TLS 1.2 of Go has the extended master secret, and so an exporter.
func TestOldTLS(t *testing.T) {
	r := newRelay(t, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	near, far := r.link(t, Dialer{})
	if near.Framed || !near.Compared {
		t.Errorf("near %+v", near)
	}
	exchange(t, near, far)
}

// Without an exporter nothing can be compared.
func TestNoExporter(t *testing.T) {
	for name, g := range map[string]greeting{"the client's": newGreeting(nil, true), "the relay's": newGreeting(make([]byte, 32), true)} {
		if name == "the client's" && g.Raw {
			t.Error("a client without an exporter would leave the frames")
		}
		key := newKey(t)
		sig, err := signWith(key)(statement(g.Nonce, nil))
		if err != nil {
			t.Fatal(err)
		}
		b := fmt.Appendf(nil, `{"v":1,"raw":%%v,"signature":%q}`, sig)
		if _, same, err := g.check(fmt.Appendf(nil, string(b), false), key.PublicKey()); same || err != nil {
			t.Errorf("%s: %v, %v", name, same, err)
		}
		var forged *ForgedError
		if _, _, err := g.check(fmt.Appendf(nil, string(b), true), key.PublicKey()); !errors.As(err, &forged) {
			t.Errorf("%s missing, and the relay leaves the frames: %v", name, err)
		}
	}
	if equal(nil, nil) || equal([]byte{}, []byte{}) {
		t.Error("two missing exporters are equal")
	}
}

// Bytes directly behind the answer, in the same TLS record, are not lost.
func TestBytesBehindTheUpgrade(t *testing.T) {
	r := newRelay(t)
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{r.leaf}}, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		raw, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		var first bytes.Buffer
		first.Write(ws.Response(req.Header.Get("Sec-WebSocket-Key")))
		frames := ws.Server(&both{Conn: raw, w: &first})
		fmt.Fprint(frames, "behind")
		raw.Write(first.Bytes())
	}))
	up, err := r.client(t, address).Upgrade(t.Context(), "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	got := make([]byte, 6)
	if _, err := io.ReadFull(ws.Client(up.Conn), got); err != nil || string(got) != "behind" {
		t.Errorf("%q, %v", got, err)
	}
}

// A client that does not wait for the answer to its request.
func TestHastyClient(t *testing.T) {
	r := newRelay(t)
	conn, err := tls.Dial("tcp", r.address, &tls.Config{RootCAs: r.pool})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	req, _ := http.NewRequest("GET", "https://"+r.address+"/v1/link", nil)
	ws.SetRequest(req.Header, ws.NewKey())
	var all bytes.Buffer
	req.Write(&all)
	f := ws.Client(&both{Conn: conn, w: &all})
	fmt.Fprintf(f, `{"v":1,"nonce":"%s=","raw":false}`, strings.Repeat("A", 43))
	fmt.Fprint(f, "payload")
	conn.Write(all.Bytes())
	select {
	case far := <-r.conns:
		defer far.Close()
		got := make([]byte, 7)
		if _, err := io.ReadFull(far, got); err != nil || string(got) != "payload" {
			t.Errorf("%q, %v", got, err)
		}
	case err := <-r.errs:
		t.Error(err)
	}
}

func TestRefusedBeforeTheUpgrade(t *testing.T) {
	r := newRelay(t)
	address := serve(t, &tls.Config{Certificates: []tls.Certificate{r.leaf}}, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"code":"busy","message":"too many sessions"}`)
	}))
	_, err := Dial(t.Context(), r.client(t, address), r.key.PublicKey(), "/v1/link", nil)
	var refused *api.Error
	if !errors.As(err, &refused) || refused.RetryAfter != 17*time.Second || refused.Code != api.CodeBusy || !client.Temporary(err) {
		t.Errorf("error %v", err)
	}
}

// What proxies and portals answer is not taken for the relay's word.
func TestStrangeAnswers(t *testing.T) {
	r := newRelay(t)
	answers := map[string]func(http.ResponseWriter, *http.Request){
		"not the relay's answer": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403); fmt.Fprint(w, "<html>blocked") },
		"is no answer":           func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>welcome to the hotel") },
		"was cut":                func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"not to this request": func(w http.ResponseWriter, _ *http.Request) {
			raw, _, _ := http.NewResponseController(w).Hijack()
			raw.Write(ws.Response("other"))
			raw.Close()
		},
	}
	for want, answer := range answers {
		address := serve(t, &tls.Config{Certificates: []tls.Certificate{r.leaf}}, http.HandlerFunc(answer))
		_, err := Dial(t.Context(), r.client(t, address), r.key.PublicKey(), "/v1/link", nil)
		var e *client.ConnectError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || !client.Temporary(err) {
			t.Errorf("error %v; want a temporary one with %q", err, want)
		}
	}
}

func TestBadClients(t *testing.T) {
	nonce := strings.Repeat("A", 43) + "="
	for want, first := range map[string]string{
		"read the client's first message": "garbage",
		"version 2":                       `{"v":2,"nonce":"` + nonce + `","raw":true}`,
		"nonce of 3 bytes":                `{"v":1,"nonce":"AAAA","raw":true}`,
		"exporter of 3 bytes":             `{"v":1,"nonce":"` + nonce + `","exporter":"AAAA","raw":true}`,
		"more than 4096 bytes":            strings.Repeat("x", maxGreeting+1),
		"unknown field":                   `{"v":1,"nonce":"` + nonce + `","raw":true,"x":1}`,
	} {
		r := newRelay(t)
		up, err := r.client(t, r.address).Upgrade(t.Context(), "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(ws.Client(up.Conn), first)
		if err := <-r.errs; !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want one with %q", err, want)
		}
		up.Close()
	}
	// No upgrade: nothing was answered, the caller does it.
	var a *api.Error
	r := newRelay(t)
	hc := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.pool}}}
	defer hc.CloseIdleConnections()
	resp, err := hc.Get("https://" + r.address + "/v1/link")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := <-r.errs; !errors.As(err, &a) || a.Status != http.StatusUpgradeRequired {
		t.Errorf("plain request: %v", err)
	}
}

// What the relay says last arrives, although the client's mark was not read.
func TestLastWords(t *testing.T) {
	r := newRelay(t)
	words := bytes.Repeat([]byte("refused "), 1000)
	for range 20 {
		near, far := r.link(t, Dialer{})
		far.Write(words)
		far.Close()
		if n, err := far.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("a closed connection reads %d, %v", n, err)
		}
		if got, err := io.ReadAll(near); err != nil || !bytes.Equal(got, words) {
			t.Fatalf("%d bytes of %d arrived, %v", len(got), len(words), err)
		}
		near.Close()
	}
}

func TestHalfClose(t *testing.T) {
	r := newRelay(t)
	near, far := r.link(t, Dialer{})
	if err := near.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := far.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d, %v", n, err)
	}
	fmt.Fprint(far, "still here")
	if err := far.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(near); err != nil || string(got) != "still here" {
		t.Errorf("%q, %v", got, err)
	}
	near, _ = r.link(t, Dialer{StayFramed: true})
	if err := near.CloseWrite(); !errors.Is(err, ErrNoHalf) {
		t.Errorf("in frames: %v", err)
	}
}
