package through

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/handshake/through/aegis"
)

// carrier is a connection whose TLS has ended in both directions already, or
// ends with what is in within.
type carrier struct {
	net.Conn
	within []byte // TLS still has
	rest   []byte
	left   bool
}

func (c *carrier) Passes() bool      { return true }
func (c *carrier) CloseWrite() error { c.left = true; return nil }
func (c *carrier) Below() net.Conn   { return c.Conn }
func (c *carrier) Rest() []byte      { return c.rest }

func (c *carrier) Read(p []byte) (int, error) {
	if len(c.within) > 0 {
		n := copy(p, c.within)
		c.within = c.within[n:]
		return n, nil
	}
	return 0, io.EOF
}

func tcp(t testing.TB) (a, b net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if a, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

var up, down = bytes.Repeat([]byte{1}, KeySize), bytes.Repeat([]byte{2}, KeySize)

func pair(t testing.TB, s Suite) (x, y *Conn) {
	t.Helper()
	a, b := tcp(t)
	x, err := New(&carrier{Conn: a}, s, up, down)
	if err != nil {
		t.Fatal(err)
	}
	if y, err = New(&carrier{Conn: b}, s, down, up); err != nil {
		t.Fatal(err)
	}
	return x, y
}

// What goes in comes out, both ways at once, in pieces and reads of any size,
// and over a change of keys.
func TestBothWays(t *testing.T) {
	defer func(n uint64) { perKey = n }(perKey)
	perKey = 7
	for _, s := range Preferred() {
		t.Run(string(s), func(t *testing.T) {
			x, y := pair(t, s)
			var wg sync.WaitGroup
			for i, ends := range [][2]*Conn{{x, y}, {y, x}} {
				r := rand.New(rand.NewPCG(1, uint64(i)))
				data := make([]byte, 3<<20+r.IntN(1000))
				for j := range data {
					data[j] = byte(r.Uint32())
				}
				wg.Go(func() {
					r, rest := rand.New(rand.NewPCG(2, uint64(i))), data
					for len(rest) > 0 {
						var pieces [][]byte
						for range r.IntN(4) + 1 {
							n := min(len(rest), r.IntN(1<<r.IntN(19)+1))
							pieces, rest = append(pieces, rest[:n]), rest[n:]
						}
						if err := ends[0].WritePieces(pieces); err != nil {
							t.Error(err)
							return
						}
					}
				})
				wg.Go(func() {
					r, got := rand.New(rand.NewPCG(3, uint64(i))), sha256.New()
					buf := make([]byte, 1<<18)
					for left := len(data); left > 0; {
						n, err := ends[1].Read(buf[:r.IntN(1<<r.IntN(19)+1)])
						if err != nil {
							t.Error(err)
							return
						}
						got.Write(buf[:n])
						left -= n
					}
					if want := sha256.Sum256(data); !bytes.Equal(got.Sum(nil), want[:]) {
						t.Error("the bytes are not the same")
					}
				})
			}
			wg.Wait()
		})
	}
}

// records are those of some writes, one each.
func records(t testing.TB, s Suite, words ...string) (out [][]byte) {
	t.Helper()
	a, b := tcp(t)
	x, err := New(&carrier{Conn: a}, s, up, down)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range words {
		if _, err := x.Write([]byte(w)); err != nil {
			t.Fatal(err)
		}
		r := make([]byte, headSize+len(w)+overhead)
		if _, err := io.ReadFull(b, r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// reader reads what was sent, with the first part of it read before TLS ended.
func reader(t testing.TB, s Suite, before, sent []byte) *Conn {
	t.Helper()
	a, b := tcp(t)
	go func() {
		b.Write(sent)
		b.(*net.TCPConn).CloseWrite()
	}()
	y, err := New(&carrier{Conn: a, rest: before}, s, down, up)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// REQ A9: a relay that changes anything is noticed, and nothing comes out that
// was not put in at that place.
func TestAttacks(t *testing.T) {
	for _, s := range Preferred() {
		t.Run(string(s), func(t *testing.T) { attacks(t, s) })
	}
}

func attacks(t *testing.T, s Suite) {
	r := records(t, s, "one", "two", "three")
	flip := func(b []byte, i int) []byte {
		b = bytes.Clone(b)
		b[i] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		sent [][]byte
		want string // comes out before it is noticed
		err  error
	}{
		"none":        {r, "onetwothree", io.EOF},
		"body":        {[][]byte{r[0], flip(r[1], 6), r[2]}, "one", ErrRecord},
		"tag":         {[][]byte{r[0], flip(r[1], len(r[1])-1)}, "one", ErrRecord},
		"type":        {[][]byte{r[0], flip(r[1], 0)}, "one", ErrRecord},
		"version":     {[][]byte{r[0], flip(r[1], 2)}, "one", ErrRecord},
		"length":      {[][]byte{r[0], flip(r[1], 4), r[2]}, "one", ErrRecord},
		"left out":    {[][]byte{r[0], r[2]}, "one", ErrRecord},
		"doubled":     {[][]byte{r[0], r[0]}, "one", ErrRecord},
		"moved":       {[][]byte{r[1], r[0]}, "", ErrRecord},
		"empty":       {[][]byte{r[0], {23, 3, 3, 0, overhead}, make([]byte, overhead)}, "one", ErrRecord},
		"much":        {[][]byte{{23, 3, 3, 0xff, 0xff}, make([]byte, 1<<16)}, "", ErrRecord},
		"cut":         {[][]byte{r[0], r[1][:10]}, "one", io.EOF},
		"cut in head": {[][]byte{r[0], r[1][:3]}, "one", io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			all := bytes.Join(c.sent, nil)
			for _, before := range []int{0, 4, len(all)} {
				y := reader(t, s, all[:before], all[before:])
				got, err := io.ReadAll(iotest{y})
				if err == nil {
					err = io.EOF
				}
				if string(got) != c.want || !errors.Is(err, c.err) {
					t.Errorf("%d bytes before: got %q, %v", before, got, err)
				}
				if _, again := y.Read(make([]byte, 1)); !errors.Is(again, c.err) {
					t.Errorf("then: %v", again)
				}
			}
		})
	}
}

// iotest reads little at a time.
type iotest struct{ io.Reader }

func (r iotest) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(2, len(p))]) }

// REQ A9: a record of one suite is none of another under the same key.
func TestOtherSuite(t *testing.T) {
	for _, a := range Preferred() {
		for _, b := range Preferred() {
			y := reader(t, b, nil, records(t, a, "one")[0])
			if _, err := y.Read(make([]byte, 9)); errors.Is(err, ErrRecord) != (a != b) {
				t.Errorf("sealed with %s, opened with %s: error %v", a, b, err)
			}
		}
	}
}

// REQ A9: what the other end sent cannot be played back to it.
func TestReflected(t *testing.T) {
	for _, s := range Preferred() {
		y := reader(t, s, nil, records(t, s, "one")[0])
		y.receive, y.send = y.send, y.receive
		if _, err := y.Read(make([]byte, 9)); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: error %v", s, err)
		}
	}
}

// Bytes that follow within TLS are of nobody.
func TestWithinTLS(t *testing.T) {
	a, _ := tcp(t)
	y, err := New(&carrier{Conn: a, within: []byte("x")}, AES128GCM, down, up)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := y.Read(make([]byte, 9)); !errors.Is(err, ErrRecord) {
		t.Errorf("error %v", err)
	}
}

// A read that a deadline has ended can be made again, also within a record.
func TestDeadline(t *testing.T) {
	r := records(t, AES128GCM, "one")[0]
	a, b := tcp(t)
	y, err := New(&carrier{Conn: a}, AES128GCM, down, up)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 9)
	b.Write(r[:8])
	y.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := y.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
	y.SetReadDeadline(time.Time{})
	b.Write(r[8:])
	if n, err := y.Read(buf); err != nil || string(buf[:n]) != "one" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

// A write of which only a part went out leaves no way to go on.
func TestBrokenWrite(t *testing.T) {
	x, _ := pair(t, AES128GCM)
	x.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	var err error
	for err == nil {
		_, err = x.Write(make([]byte, 1<<20))
	}
	x.SetWriteDeadline(time.Time{})
	if _, again := x.Write([]byte("x")); !errors.Is(again, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", again)
	}
}

func TestChoose(t *testing.T) {
	if Preferred()[len(Preferred())-1] != ChaCha20Poly1305 {
		t.Skip("this machine does not compute AES")
	}
	theirs := []Suite{AES128GCM, ChaCha20Poly1305} // of one that has not heard of AEGIS
	cases := []struct {
		theirs []Suite
		want   Suite
	}{
		{Preferred(), Preferred()[0]}, {theirs, AES128GCM}, {[]Suite{ChaCha20Poly1305, AES128GCM}, ChaCha20Poly1305},
		{[]Suite{"rot13", ChaCha20Poly1305}, ChaCha20Poly1305}, {[]Suite{AES128GCM}, AES128GCM}, {[]Suite{"rot13"}, ""}, {nil, ""},
	}
	if aegis.Available() {
		cases = append(cases, cases[0])
		cases[len(cases)-1].theirs = []Suite{ChaCha20Poly1305, AEGIS128L}
		cases[len(cases)-1].want = AEGIS128L
	}
	for _, c := range cases {
		if got := Choose(c.theirs); got != c.want {
			t.Errorf("of %q: %q", c.theirs, got)
		}
	}
	if _, err := New(&carrier{}, "rot13", up, down); err == nil {
		t.Error("a suite that is none")
	}
}

// Records look like those of TLS.
func TestShape(t *testing.T) {
	a, b := tcp(t)
	x, err := New(&carrier{Conn: a}, AES128GCM, up, down)
	if err != nil {
		t.Fatal(err)
	}
	go x.Write(make([]byte, 40_000))
	for _, want := range []int{most, most, 40_000 - 2*most} {
		var head [headSize]byte
		if _, err := io.ReadFull(b, head[:]); err != nil {
			t.Fatal(err)
		}
		if n := int(binary.BigEndian.Uint16(head[3:])); !bytes.Equal(head[:3], []byte{23, 3, 3}) || n != want+overhead {
			t.Errorf("head %v", head)
		}
		io.CopyN(io.Discard, b, int64(want+overhead))
	}
}

// FuzzRead: whatever comes in, in whatever pieces, nothing comes out that was
// not put in.
func FuzzRead(f *testing.F) {
	s := Preferred()[0]
	r := records(f, s, "one", "two", "three")
	f.Add(bytes.Join(r, nil), uint8(3))
	f.Add(append(bytes.Clone(r[0]), r[2]...), uint8(200))
	f.Add([]byte{23, 3, 3, 0, 17}, uint8(0))
	f.Fuzz(func(t *testing.T, sent []byte, before uint8) {
		cut := min(int(before), len(sent))
		near, far := net.Pipe()
		go func() {
			far.Write(sent[cut:])
			far.Close()
		}()
		defer near.Close()
		y, err := New(&carrier{Conn: near, rest: sent[:cut]}, s, down, up)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(y)
		if !bytes.HasPrefix([]byte("onetwothree"), got) {
			t.Fatalf("got %q", got)
		}
		if err != nil && !errors.Is(err, ErrRecord) {
			t.Fatal(err)
		}
	})
}

// BenchmarkThrough is what one stream costs both ends together, the sockets
// included.
func BenchmarkThrough(b *testing.B) {
	for _, s := range Preferred() {
		b.Run(string(s), func(b *testing.B) {
			x, y := pair(b, s)
			piece := make([]byte, 256<<10)
			b.SetBytes(int64(len(piece)))
			go func() {
				for range b.N {
					x.Write(piece)
				}
				x.Close()
			}()
			io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{y}, make([]byte, 64<<10))
		})
	}
}

// Who reads says when there is much at hand, and when he is about to wait.
func TestMuch(t *testing.T) {
	x, y := pair(t, Preferred()[0])
	waits := make(chan bool, 100)
	y.Waits(func() { waits <- y.Much() })
	if _, err := x.Write(make([]byte, 2*much)); err != nil {
		t.Fatal(err)
	}
	seen, buf := false, make([]byte, 100)
	for n := 0; n < 2*much; {
		m, err := y.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		n += m
		seen = seen || y.Much()
	}
	if !seen {
		t.Skip("it came in pieces")
	}
	go x.Write([]byte("x"))
	for len(waits) > 0 {
		<-waits
	}
	if _, err := y.Read(buf); err != nil {
		t.Fatal(err)
	}
	if len(waits) != 1 || <-waits {
		t.Error("it did not say that it waits")
	}
	if y.Much() {
		t.Error("a byte is much")
	}
}
