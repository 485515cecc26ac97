package cork

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"testing"
	"time"
)

// Wherever a stream of records is cut, a part never reaches over an end, and
// all parts together are the stream.
func TestWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var stream []byte
	ends := map[int]bool{}
	for range 200 {
		n := r.IntN(1 << r.IntN(12))
		stream = append(binary.BigEndian.AppendUint16(append(stream, 23, 3, 3), uint16(n)), make([]byte, n)...)
		ends[len(stream)] = true
	}
	for range 100 {
		var b Bounds
		for at, next := 0, 0; at < len(stream); {
			for next = at + 1; !ends[next]; next++ {
			}
			have := stream[at:min(len(stream), at+1+r.IntN(1<<r.IntN(13)))]
			n := b.Within(have)
			if want := min(len(have), next-at); n != want {
				t.Fatalf("%d of %d bytes at %d, the record ends at %d", n, len(have), at, next)
			}
			at += n
		}
	}
}

// What follows the end of TLS is left to whoever reads there, also where it comes
// with the last record in one piece.
func TestBound(t *testing.T) {
	for _, words := range [][]string{{"x"}, {"a", "few", "records"}, {string(make([]byte, 100_000))}} {
		a, b, below := pair(t)
		io.WriteString(a, "!") // until the handshake is over on both sides
		if _, err := io.ReadFull(b, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		b.below.Bound()
		a.below.hold() // all in one piece
		for _, w := range words {
			if _, err := io.WriteString(a.Conn, w); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		after := bytes.Repeat([]byte{23, 3, 3, 0, 2, 'o', 'k'}, 100)
		*a.below.held = append(*a.below.held, after...)
		below[0].Conn.SetWriteDeadline(time.Time{})
		go func() {
			a.below.release()
			below[0].Conn.Close()
		}()
		var want []byte
		for _, w := range words {
			want = append(want, w...)
		}
		got, err := io.ReadAll(b)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes within TLS, %v; sent were %d", len(got), err, len(want))
		}
		got, err = io.ReadAll(io.MultiReader(bytes.NewReader(b.below.Rest()), b.below.Below()))
		if err != nil || !bytes.Equal(got, after) {
			t.Errorf("%d bytes below it, %v; sent were %d", len(got), err, len(after))
		}
	}
}
