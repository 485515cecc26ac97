package mask

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// sameFound compares what a kernel finds in the masks with what the portable one
// does.
func sameFound(t *testing.T, k Kernel, m *Masks, n int) {
	t.Helper()
	found := func(k Kernel) (list [kinds][]uint64, token, label []uint64) {
		var f Found
		m.Find(k, n, &f)
		open := m.Identify(k, n, &f)
		for kind := range kinds {
			at, bits := f.Of(kind)
			if open && kind == Host {
				at, bits = append(slices.Clone(at), uint64(n*Size)), append(slices.Clone(bits), 1)
			}
			list[kind] = append(slices.Clone(at), bits...)
		}
		return list, slices.Clone(m.Token[:n]), slices.Clone(m.Label[:n])
	}
	want, token, label := found(Portable)
	got, token2, label2 := found(k)
	for kind := range kinds {
		if !slices.Equal(got[kind], want[kind]) {
			t.Fatalf("%v: candidates of kind %d: %x, want %x", k, kind, got[kind], want[kind])
		}
	}
	if !slices.Equal(token, token2) || !slices.Equal(label, label2) {
		t.Fatalf("%v: planes differ", k)
	}
}

func TestKernelsFindTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	m := new(Masks)
	for _, alphabet := range []string{"a1.:-@_/ \n", "aaaaaaaab.", "0123456789.", "0f:", "0f-:.", "key-1 db01.Pa_s\n", "\x80\x00a \x1b"} {
		for range 200 {
			n := 1 + r.IntN(40)
			text := make([]byte, n*Size+Slack)
			long := r.IntN(3) == 0
			for i := range text {
				if text[i] = alphabet[r.IntN(len(alphabet))]; long && i > 0 && r.IntN(60) != 0 {
					text[i] = alphabet[0]
				}
			}
			for _, k := range kernels() {
				m.Fill(k, n, text, testNeedles, testWords)
				sameFound(t, k, m, n)
			}
		}
	}
}

// The candidates are where the bytes say.
func TestFind(t *testing.T) {
	text := make([]byte, 4*Size+Slack)
	const line = "host a.example.com at 10.20.30.4, 00:11:22:33:44:55 fe80::1 x@y.de\nabcdefghijklmnop q"
	m := new(Masks)
	for shift := range 2 * Size {
		clear(text)
		copy(text[shift:], line)
		for _, k := range kernels() {
			var f Found
			m.Fill(k, 4, text, testNeedles, testWords)
			m.Find(k, 4, &f)
			m.Identify(k, 4, &f)
			for kind, want := range map[Kind][]int{Run: {82}, Quad: {31}, Pair: {50}, Colons: {42, 45, 48, 57}, Line: {66}, At: {61}, Host: {18, 66}} {
				var got []int
				at, masks := f.Of(kind)
				for i := range at {
					for b := range Size {
						if masks[i]>>b&1 != 0 && !(kind == Host && text[int(at[i])+b] == '.') { // at the edge of a block
							got = append(got, int(at[i])+b-shift)
						}
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%v, shifted by %d: candidates of kind %d at %v, want %v", k, shift, kind, got, want)
				}
			}
		}
	}
}

func BenchmarkFind(b *testing.B) {
	text := bytes.Repeat([]byte("2024-03-04T05:06:07.890Z INFO  [main] c.a.shop.Config - loaded 42 keys from 10.1.2.3\n"), 200)
	n := (len(text) - Slack) / Size
	m, f := new(Masks), new(Found)
	for _, k := range kernels() {
		b.Run(k.String(), func(b *testing.B) {
			b.SetBytes(int64(n * Size))
			m.Fill(k, n, text, testNeedles, testWords)
			for b.Loop() {
				m.Find(k, n, f)
				m.Identify(k, n, f)
			}
		})
	}
}
