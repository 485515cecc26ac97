package ws

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// wire is a connection whose bytes are given, and whose writes are kept.
type wire struct {
	net.Conn
	in  io.Reader
	out bytes.Buffer
	err error
}

func (w *wire) Read(p []byte) (int, error) { return w.in.Read(p) }
func (w *wire) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	return w.out.Write(p)
}
func (w *wire) Close() error                     { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

func frame(op byte, fin bool, masked bool, p []byte) []byte {
	h := head{op: op, fin: fin, masked: masked, length: uint64(len(p)), key: 0x9f31c7a5}
	b := appendHead(nil, h)
	at := len(b)
	b = append(b, p...)
	if masked {
		mask(b[at:], p, h.key)
	}
	return b
}

func TestMask(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	src := make([]byte, 3*pattern+50)
	for i := range src {
		src[i] = byte(r.Uint32())
	}
	var key [4]byte
	for range 3000 {
		binary.LittleEndian.PutUint32(key[:], r.Uint32())
		a := r.IntN(len(src))
		b := a + r.IntN(len(src)-a+1)
		got := make([]byte, b-a)
		// In two parts, as frames are read.
		cut := r.IntN(len(got) + 1)
		next := mask(got[:cut], src[a:a+cut], binary.LittleEndian.Uint32(key[:]))
		mask(got[cut:], src[a+cut:b], next)
		for i := range got {
			if got[i] != src[a+i]^key[i%4] {
				t.Fatalf("length %d, cut at %d: byte %d is wrong", len(got), cut, i)
			}
		}
	}
}

// What one end writes the other reads, whatever the sizes and however the
// bytes arrive.
func TestBothWays(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 127, 65535 - maxHead, 65535, 65536, 200_000} {
		for name, make2 := range map[string][2]func(net.Conn) *Conn{"client to server": {Client, Server}, "server to client": {Server, Client}} {
			want := make([]byte, size)
			for i := range want {
				want[i] = byte(i * 7)
			}
			keep := bytes.Clone(want)
			sent := &wire{}
			if n, err := make2[0](sent).Write(want); n != size || err != nil {
				t.Fatalf("%s %d: Write = %d, %v", name, size, n, err)
			}
			if !bytes.Equal(want, keep) {
				t.Fatalf("%s %d: Write changed its argument", name, size)
			}
			for way, in := range map[string]io.Reader{"whole": bytes.NewReader(sent.out.Bytes()), "halves": iotest.HalfReader(bytes.NewReader(sent.out.Bytes())), "bytes": iotest.OneByteReader(bytes.NewReader(sent.out.Bytes()))} {
				got, err := io.ReadAll(make2[1](&wire{in: in}))
				if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(got, want) {
					t.Errorf("%s %d %s: read %d bytes, %v", name, size, way, len(got), err)
				}
			}
		}
	}
}

// Proxies may split messages, merge them and ask whether we are there.
func TestForeignFrames(t *testing.T) {
	in := slices.Concat(
		frame(opBinary, false, true, []byte("he")), frame(opPing, true, true, []byte("there?")), frame(opContinue, false, true, nil),
		frame(opContinue, true, true, []byte("llo")), frame(opPong, true, true, nil), frame(opBinary, true, true, []byte(" world")),
		frame(opClose, true, true, []byte{3, 232}),
	)
	w := &wire{in: bytes.NewReader(in)}
	got, err := io.ReadAll(Server(w))
	if string(got) != "hello world" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	want := slices.Concat(frame(opPong, true, false, []byte("there?")), frame(opClose, true, false, []byte{3, 232}))
	if !bytes.Equal(w.out.Bytes(), want) {
		t.Errorf("answered %x; want %x", w.out.Bytes(), want)
	}
}

func TestHostileFrames(t *testing.T) {
	long := make([]byte, 126)
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"not masked", frame(opBinary, true, false, []byte("x")), "other way round"},
		{"text", frame(opText, true, true, []byte("x")), "text frame"},
		{"text within fragments", slices.Concat(frame(opBinary, false, true, []byte("x")), frame(opText, true, true, nil)), "text frame"},
		{"unknown opcode", frame(3, true, true, nil), "unknown opcode 3"},
		{"reserved bit", []byte{0xc2, 0x80, 0, 0, 0, 0}, "reserved bits"},
		{"fragment from nowhere", frame(opContinue, true, true, []byte("x")), "fragment without"},
		{"two beginnings", slices.Concat(frame(opBinary, false, true, nil), frame(opBinary, true, true, nil)), "fragment without"},
		{"long ping", frame(opPing, true, true, long), "control frame"},
		{"fragmented ping", frame(opPing, false, true, nil), "control frame"},
		{"length 5 in 16 bits", []byte{0x82, 0xfe, 0, 5, 0, 0, 0, 0}, "shortest form"},
		{"length 500 in 64 bits", append([]byte{0x82, 0xff}, make([]byte, 12)...), "shortest form"},
		{"length 2^63", []byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, "at most"},
		{"endless pings", bytes.Repeat(frame(opPing, true, true, nil), 5000), "control or empty frames"},
		{"endless empty frames", bytes.Repeat(frame(opBinary, true, true, nil), 5000), "control or empty frames"},
		{"cut in a head", frame(opBinary, true, true, long)[:5], "unexpected EOF"},
		{"cut in a payload", frame(opBinary, true, true, long)[:50], "unexpected EOF"},
		{"closed with an error", frame(opClose, true, true, []byte{3, 240, 'n', 'o'}), "code 1008 \"no\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := Server(&wire{in: bytes.NewReader(tt.in)})
			_, err := io.ReadAll(c)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v; want one with %q", err, tt.want)
			}
			if _, again := c.Read(make([]byte, 1)); again == nil {
				t.Error("the connection goes on after the error")
			}
		})
	}
}

func TestReadMessage(t *testing.T) {
	in := slices.Concat(frame(opBinary, false, false, []byte("ab")), frame(opPing, true, false, nil), frame(opContinue, true, false, []byte("cd")), frame(opBinary, true, false, []byte("rest")))
	c := Client(&wire{in: iotest.OneByteReader(bytes.NewReader(in))})
	if got, err := c.ReadMessage(4); string(got) != "abcd" || err != nil {
		t.Fatalf("ReadMessage = %q, %v", got, err)
	}
	if got, err := c.ReadMessage(3); err == nil {
		t.Errorf("ReadMessage = %q for a longer message", got)
	}
}

// Behind the mark nothing is touched.
func TestUnframe(t *testing.T) {
	sent := &wire{}
	c := Client(sent)
	c.Write([]byte("framed"))
	if err := c.Unframe(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("x")); err == nil {
		t.Error("a frame could be written after the mark")
	}
	c.Close() // sends nothing
	sent.out.WriteString("plain")
	in := bytes.NewReader(sent.out.Bytes())
	got, err := io.ReadAll(Server(&wire{in: in}))
	rest, _ := io.ReadAll(in)
	if string(got) != "framed" || !errors.Is(err, ErrUnframed) || string(rest) != "plain" {
		t.Errorf("read %q, %v, and then %q", got, err, rest)
	}
}

// A deadline that passes within a head or a payload loses nothing.
func TestDeadlineWithinFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer a.Close()
		c := Server(b)
		defer b.Close()
		go func() {
			for _, x := range frame(opBinary, true, true, bytes.Repeat([]byte("x"), 300)) {
				time.Sleep(time.Second)
				a.Write([]byte{x})
			}
		}()
		var got []byte
		timeouts := 0
		for len(got) < 300 {
			b.SetReadDeadline(time.Now().Add(700 * time.Millisecond))
			buf := make([]byte, 64)
			n, err := c.Read(buf)
			got = append(got, buf[:n]...)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				timeouts++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if timeouts < 100 || strings.Trim(string(got), "x") != "" {
			t.Errorf("%d time-outs, read %q", timeouts, got)
		}
	})
}

func TestWriteFails(t *testing.T) {
	w := &wire{err: errors.New("gone")}
	c := Client(w)
	if _, err := c.Write([]byte("x")); err == nil {
		t.Fatal("no error")
	}
	w.err = nil
	if n, err := c.Write([]byte("x")); err == nil || n != 0 || w.out.Len() > 0 {
		t.Errorf("after a broken frame Write = %d, %v, and sent %d bytes", n, err, w.out.Len())
	}
}

func TestUpgradeHeaders(t *testing.T) {
	// The example of RFC 6455, section 1.3.
	if got := AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("AcceptKey = %s", got)
	}
	good := func() *http.Request {
		r, _ := http.NewRequest("GET", "https://x.example/v1/link", nil)
		SetRequest(r.Header, NewKey())
		return r
	}
	if err := CheckRequest(good()); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*http.Request){
		"method": func(r *http.Request) { r.Method = "POST" }, "version 1.0": func(r *http.Request) { r.ProtoMinor = 0 },
		"no upgrade": func(r *http.Request) { r.Header.Del("Upgrade") }, "stripped": func(r *http.Request) { r.Header.Set("Connection", "keep-alive") },
		"version": func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") }, "key": func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "AAAA") },
		"body": func(r *http.Request) { r.ContentLength = -1 },
	} {
		r := good()
		if change(r); CheckRequest(r) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	h := http.Header{"Connection": {"keep-alive, UPGRADE"}, "Upgrade": {"WebSocket"}, "Sec-Websocket-Accept": {AcceptKey("k")}}
	if err := CheckResponse(h, "k"); err != nil {
		t.Error(err)
	}
	if CheckResponse(h, "other") == nil {
		t.Error("an answer to another request is accepted")
	}
	h.Set("Sec-WebSocket-Extensions", "permessage-deflate")
	if CheckResponse(h, "k") == nil {
		t.Error("an extension that was not asked for is accepted")
	}
}

// Foreign bytes end in data or an error, never in a panic, and what is read is
// never longer than what came.
func FuzzRead(f *testing.F) {
	f.Add(frame(opBinary, true, true, []byte("hello")), false)
	f.Add(slices.Concat(frame(opBinary, false, false, []byte("he")), frame(opPing, true, false, []byte("x")), frame(opContinue, true, false, []byte("llo"))), true)
	f.Add(frame(opText, true, true, nil), false)
	f.Add(frame(opClose, true, true, []byte{3, 232}), false)
	f.Fuzz(func(t *testing.T, in []byte, client bool) {
		read := func(r io.Reader) (string, string) {
			c := &Conn{Conn: &wire{in: r}, client: client}
			got, err := io.ReadAll(c)
			return string(got), fmt.Sprint(err)
		}
		got, err := read(bytes.NewReader(in))
		if len(got) > len(in) {
			t.Errorf("%d bytes became %d", len(in), len(got))
		}
		if again, err2 := read(iotest.OneByteReader(bytes.NewReader(in))); again != got || err2 != err {
			t.Errorf("read %q, %s; byte by byte %q, %s", got, err, again, err2)
		}
		(&Conn{Conn: &wire{in: bytes.NewReader(in)}, client: client}).ReadMessage(100)
	})
}

func BenchmarkMask(b *testing.B) {
	p := make([]byte, 32<<10)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		mask(p, p, 0x12345678)
	}
}
