package pseudonym

import "sync/atomic"

// The caches are tables of single words or pointers that are read and written
// atomically. A collision overwrites: the mapping is a function of the key, so
// an entry that is lost is computed again, and no lock is needed.

// slots rounds up to a power of two and returns it with the shift that makes
// an index of a 64-bit hash.
func slots(n int) (size, shift int) {
	size, shift = 16, 60
	for size < n {
		size <<= 1
		shift--
	}
	return size, shift
}

// spread is a multiplicative hash (Knuth, 2^64 over the golden ratio).
const spread = 0x9E3779B97F4A7C15

// cache32 maps 32 bits to 32 bits, both in one word. Zero is not cached.
type cache32 struct {
	words []atomic.Uint64
	shift int
}

func newCache32(n int) *cache32 {
	size, shift := slots(n)
	return &cache32{make([]atomic.Uint64, size), shift}
}

func (c *cache32) get(key uint32) (uint32, bool) {
	w := c.words[uint64(key)*spread>>c.shift].Load()
	return uint32(w), uint32(w>>32) == key && key != 0
}

func (c *cache32) put(key, value uint32) {
	c.words[uint64(key)*spread>>c.shift].Store(uint64(key)<<32 | uint64(value))
}

// cacheWide maps up to 128 bits of one kind.
type cacheWide struct {
	slot  []atomic.Pointer[wideEntry]
	shift int
}

type wideEntry struct {
	key, value bits128
	kind       byte
}

func newCacheWide(n int) *cacheWide {
	size, shift := slots(n)
	return &cacheWide{make([]atomic.Pointer[wideEntry], size), shift}
}

func (c *cacheWide) at(kind byte, key bits128) *atomic.Pointer[wideEntry] {
	h := (key.hi ^ uint64(kind)<<56) * spread
	h = (h ^ h>>32 ^ key.lo) * spread
	return &c.slot[h>>c.shift]
}

func (c *cacheWide) get(kind byte, key bits128) (bits128, bool) {
	e := c.at(kind, key).Load()
	if e == nil || e.key != key || e.kind != kind {
		return bits128{}, false
	}
	return e.value, true
}

func (c *cacheWide) put(kind byte, key, value bits128) {
	c.at(kind, key).Store(&wideEntry{key, value, kind})
}

// cacheName maps folded names of one kind to their pseudonyms.
type cacheName struct {
	slot  []atomic.Pointer[nameEntry]
	shift int
}

type nameEntry struct {
	kind       byte
	key, value string
}

func newCacheName(n int) *cacheName {
	size, shift := slots(n)
	return &cacheName{make([]atomic.Pointer[nameEntry], size), shift}
}

func (c *cacheName) at(hash uint64) *atomic.Pointer[nameEntry] {
	return &c.slot[hash>>c.shift]
}
