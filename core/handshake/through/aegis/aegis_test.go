package aegis

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
)

func needed(t testing.TB) {
	t.Helper()
	if !Available() {
		t.Skip("this machine or build has no AEGIS")
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func under(t testing.TB, key []byte) cipher.AEAD {
	t.Helper()
	a, err := New(key)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The vectors of draft-irtf-cfrg-aegis-aead-17, appendix A.
func TestRoundVector(t *testing.T) {
	in, key := [16]byte(unhex(t, "000102030405060708090a0b0c0d0e0f")), [16]byte(unhex(t, "101112131415161718191a1b1c1d1e1f"))
	if got := aesRound(in, key); hex.EncodeToString(got[:]) != "7a7b4e5638782546a8c0477a3b813f43" {
		t.Errorf("the reference: %x", got)
	}
}

func TestUpdateVector(t *testing.T) {
	var s, want state
	for i, v := range []string{
		"9b7e60b24cc873ea894ecc07911049a3", "330be08f35300faa2ebf9a7b0d274658", "7bbd5bd2b049f7b9b515cf26fbe7756c", "c35a00f55ea86c3886ec5e928f87db18",
		"9ebccafce87cab446396c4334592c91f", "58d83e31f256371e60fc6bb257114601", "1639b56ea322c88568a176585bc915de", "640818ffb57dc0fbc2e72ae93457e39a",
	} {
		s[i] = [16]byte(unhex(t, v))
	}
	for i, v := range []string{
		"596ab773e4433ca0127c73f60536769d", "790394041a3d26ab697bde865014652d", "38cf49e4b65248acd533041b64dd0611", "16d8e58748f437bfff1797f780337cee",
		"9689ecdf08228c74d7e3360cca53d0a5", "a21746bb193a569e331e1aa985d0d729", "09d714e6fcf9177a8ed1cde7e3d259a6", "61279ba73167f0ab76f0a11bf203bdff",
	} {
		want[i] = [16]byte(unhex(t, v))
	}
	m0, m1 := [16]byte(unhex(t, "033e6975b94816879e42917650955aa0")), [16]byte(unhex(t, "fcc1968a46b7e97861bd6e89af6aa55f"))
	reference := s
	if reference.update(m0, m1); reference != want {
		t.Errorf("the reference: %x", reference)
	}
	if !Available() {
		return
	}
	var both [block]byte
	copy(both[:], m0[:])
	copy(both[16:], m1[:])
	if update(&s, &both, 1); s != want {
		t.Errorf("the assembly: %x", s)
	}
}

const (
	key1   = "10010000000000000000000000000000"
	nonce1 = "10000200000000000000000000000000"
	tag4   = "5c04b3dba849b2701effbe32c7f0fab7"
)

func TestVectors(t *testing.T) {
	for i, v := range []struct{ ad, message, sealed string }{
		{"", "00000000000000000000000000000000", "c1c0e58bd913006feba00f4b3cc3594e" + "abe0ece80c24868a226a35d16bdae37a"},
		{"", "", "c2b879a67def9d74e6c14f708bbcc9b4"},
		{"0001020304050607", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
			"79d94593d8c2119d7e8fd9b8fc77845c5c077a05b2528b6ac54b563aed8efe84" + "cc6f3372f6aa1bb82388d695c3962d9a"},
		{"0001020304050607", "000102030405060708090a0b0c0d", "79d94593d8c2119d7e8fd9b8fc77" + tag4},
		{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242526272829",
			"101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
			"b31052ad1cca4e291abcf2df3502e6bdb1bfd6db36798be3607b1f94d34478aa7ede7f7a990fec10" + "7542a745733014f9474417b337399507"},
	} {
		key, nonce, ad, message := unhex(t, key1), unhex(t, nonce1), unhex(t, v.ad), unhex(t, v.message)
		if got := hex.EncodeToString(slow([16]byte(key), [16]byte(nonce), message, ad)); got != v.sealed {
			t.Errorf("%d, the reference: %s", i+1, got)
		}
		if !Available() {
			continue
		}
		a := under(t, key)
		if got := hex.EncodeToString(a.Seal(nil, nonce, message, ad)); got != v.sealed {
			t.Errorf("%d: %s", i+1, got)
		}
		if got, err := a.Open(nil, nonce, unhex(t, v.sealed), ad); err != nil || !bytes.Equal(got, message) {
			t.Errorf("%d: opened as %x, %v", i+1, got, err)
		}
	}
}

func TestVectorsThatDoNotOpen(t *testing.T) {
	needed(t)
	for i, v := range []struct{ key, nonce, ad, sealed string }{
		{nonce1, key1, "0001020304050607", "79d94593d8c2119d7e8fd9b8fc77" + tag4},
		{key1, nonce1, "0001020304050607", "79d94593d8c2119d7e8fd9b8fc78" + tag4},
		{key1, nonce1, "0001020304050608", "79d94593d8c2119d7e8fd9b8fc77" + tag4},
		{key1, nonce1, "0001020304050607", "79d94593d8c2119d7e8fd9b8fc77" + "6c04b3dba849b2701effbe32c7f0fab8"},
	} {
		if got, err := under(t, unhex(t, v.key)).Open(nil, unhex(t, v.nonce), unhex(t, v.sealed), unhex(t, v.ad)); err == nil {
			t.Errorf("%d: opened as %x", i+6, got)
		}
	}
}

// filled is n bytes by chance.
func filled(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// Every length up to some blocks, beside the reference, into a place of its own,
// in place, and behind something.
func TestLengths(t *testing.T) {
	needed(t)
	r := rand.New(rand.NewPCG(1, 2))
	lengths := []int{255, 256, 257, 1 << 10, 16 << 10, 16<<10 + 31}
	for n := range 4*block + 1 {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		compare(t, filled(r, KeySize), filled(r, NonceSize), filled(r, n), filled(r, r.IntN(3*block)))
	}
}

func compare(t *testing.T, key, nonce, message, ad []byte) {
	t.Helper()
	a, want := under(t, key), slow([16]byte(key), [16]byte(nonce), message, ad)
	if got := a.Seal([]byte("before"), nonce, message, ad); string(got) != "before"+string(want) {
		t.Fatalf("%d bytes, %d beside: sealed %x, the reference %x", len(message), len(ad), got, want)
	}
	in := append(make([]byte, 0, len(message)+Overhead), message...)
	if got := a.Seal(in[:0], nonce, in, ad); !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, in place: %x, the reference %x", len(message), got, want)
	}
	if got, err := a.Open([]byte("before"), nonce, want, ad); err != nil || string(got) != "before"+string(message) {
		t.Fatalf("%d bytes: opened as %x, %v", len(message), got, err)
	}
	if got, err := a.Open(want[:0], nonce, want, ad); err != nil || !bytes.Equal(got, message) {
		t.Fatalf("%d bytes, in place: opened as %x, %v", len(message), got, err)
	}
}

// REQ A9: whichever bit is changed, nothing comes out.
func TestTampering(t *testing.T) {
	needed(t)
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 31, 32, 33, 100} {
		key, nonce, ad := filled(r, KeySize), filled(r, NonceSize), filled(r, 5)
		sealed := under(t, key).Seal(nil, nonce, filled(r, n), ad)
		for what, b := range map[string][]byte{"key": key, "nonce": nonce, "head": ad, "message": sealed} {
			for i := range len(b) * 8 {
				b[i/8] ^= 1 << (i % 8)
				place := bytes.Repeat([]byte{0xaa}, n)
				if got, err := under(t, key).Open(place[:0], nonce, sealed, ad); err == nil {
					t.Fatalf("%d bytes, bit %d of the %s: opened as %x", n, i, what, got)
				}
				if !bytes.Equal(place, make([]byte, n)) {
					t.Fatalf("%d bytes, bit %d of the %s: %x was left behind", n, i, what, place)
				}
				b[i/8] ^= 1 << (i % 8)
			}
		}
		for i := range sealed { // what is behind the cut is taken for the tag
			if _, err := under(t, key).Open(nil, nonce, sealed[:i], ad); err == nil {
				t.Fatalf("opened with %d bytes of %d", i, len(sealed))
			}
		}
	}
}

func TestMisuse(t *testing.T) {
	needed(t)
	if _, err := New(make([]byte, 15)); err == nil {
		t.Error("a short key")
	}
	a, b, nonce := under(t, make([]byte, KeySize)), make([]byte, 200), make([]byte, NonceSize)
	for name, f := range map[string]func(){
		"nonce":             func() { a.Seal(nil, nonce[:12], nil, nil) },
		"overlap of sealed": func() { a.Seal(b[:1], nonce, b[:100], nil) },
		"overlap of opened": func() { a.Open(b[:0], nonce, b[8:100], nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestAllocations(t *testing.T) {
	needed(t)
	a, nonce, head := under(t, make([]byte, KeySize)), make([]byte, NonceSize), make([]byte, 5)
	buf := make([]byte, 1000, 1000+Overhead)
	if n := testing.AllocsPerRun(10, func() {
		sealed := a.Seal(buf[:0], nonce, buf, head)
		if _, err := a.Open(sealed[:0], nonce, sealed, head); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAgainstReference(f *testing.F) {
	needed(f)
	f.Add([]byte("0123456789abcdef"), []byte("fedcba9876543210"), []byte("message"), []byte("head"))
	f.Add(make([]byte, 16), make([]byte, 16), make([]byte, 97), []byte{})
	f.Fuzz(func(t *testing.T, key, nonce, message, ad []byte) {
		if len(key) < KeySize || len(nonce) < NonceSize || len(message) > 4<<10 || len(ad) > 1<<10 {
			return
		}
		compare(t, key[:KeySize], nonce[:NonceSize], message, ad)
	})
}

// BenchmarkSeal and BenchmarkOpen are records of package through, beside
// AES-128-GCM of the standard library.
func BenchmarkSeal(b *testing.B) {
	each(b, func(b *testing.B, a cipher.AEAD, nonce, buf []byte) {
		for b.Loop() {
			a.Seal(buf[:0], nonce, buf[:len(buf)-Overhead], nonce[:5])
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	each(b, func(b *testing.B, a cipher.AEAD, nonce, buf []byte) {
		out := make([]byte, len(buf))
		a.Seal(buf[:0], nonce, buf[:len(buf)-Overhead], nonce[:5])
		for b.Loop() {
			if _, err := a.Open(out[:0], nonce, buf, nonce[:5]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func each(b *testing.B, f func(b *testing.B, a cipher.AEAD, nonce, buf []byte)) {
	needed(b)
	c, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	gcm, err := cipher.NewGCM(c)
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{64, 16 << 10} {
		for _, x := range []struct {
			name string
			a    cipher.AEAD
		}{{"aegis", under(b, make([]byte, KeySize))}, {"gcm", gcm}} {
			b.Run(fmt.Sprintf("%s/%d", x.name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				f(b, x.a, make([]byte, x.a.NonceSize()), make([]byte, size+Overhead))
			})
		}
	}
}
