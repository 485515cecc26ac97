package pseudonym

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// Readers never see half an entry, however many write the same slots.
func TestCachesUnderWriters(t *testing.T) {
	wide, narrow := newCacheWide(16), newCache32(16)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(5, uint64(g)))
			for range 20000 {
				k := uint64(r.IntN(64) + 1)
				key := bits128{k << 40, k}
				kind := byte(k % 3)
				if v, ok := wide.get(kind, key); ok && v != (bits128{^k, k * 3}) {
					t.Errorf("the entry of %d holds %v", k, v)
					return
				}
				wide.put(kind, key, bits128{^k, k * 3})
				if v, ok := narrow.get(uint32(k)); ok && v != uint32(k)*7 {
					t.Errorf("the word of %d holds %d", k, v)
					return
				}
				narrow.put(uint32(k), uint32(k)*7)
			}
		})
	}
	wg.Wait()
}

// Neighbours find room: half as many entries as slots nearly all stay.
func TestCacheHasWays(t *testing.T) {
	c := newCache32(1 << 12)
	for k := range uint32(1 << 10) {
		c.put(k*2654435761+1, k)
	}
	lost := 0
	for k := range uint32(1 << 10) {
		if v, ok := c.get(k*2654435761 + 1); !ok || v != k {
			lost++
		}
	}
	if lost > 16 {
		t.Errorf("%d of 1024 entries were pushed out of 4096 slots", lost)
	}
}

func TestMACsDoNotAllocate(t *testing.T) {
	m, err := New(&[KeySize]byte{1}, Options{CacheEntries: 64})
	if err != nil {
		t.Fatal(err)
	}
	n := byte(0)
	if a := testing.AllocsPerRun(500, func() {
		n++
		m.MAC([6]byte{2, 3, n, 5, 6, 7})
	}); a > 0 {
		t.Errorf("%v allocations for an address that is not in the cache", a)
	}
}
