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

// ways is how many places an entry may have: a few neighbours in one line of
// the processor's cache, so that names do not push each other out in turn.
const ways = 4

// cache32 maps 32 bits to 32 bits, both in one word. Zero is not cached.
type cache32 struct {
	words []atomic.Uint64
	shift int
}

func newCache32(n int) *cache32 {
	size, shift := slots(n)
	return &cache32{make([]atomic.Uint64, size), shift}
}

func (c *cache32) set(key uint32) *[ways]atomic.Uint64 {
	i := uint64(key) * spread >> c.shift &^ (ways - 1)
	return (*[ways]atomic.Uint64)(c.words[i:])
}

func (c *cache32) get(key uint32) (uint32, bool) {
	set := c.set(key)
	for i := range set {
		if w := set[i].Load(); uint32(w>>32) == key {
			return uint32(w), key != 0
		}
	}
	return 0, false
}

func (c *cache32) put(key, value uint32) {
	set := c.set(key)
	at := &set[value%ways]
	for i := range set {
		if set[i].Load() == 0 {
			at = &set[i]
			break
		}
	}
	at.Store(uint64(key)<<32 | uint64(value))
}

// cacheWide maps up to 128 bits of one kind.
type cacheWide struct {
	slot  []wideEntry
	shift int
}

// wideEntry is guarded by seq, which is odd while it is written and counts the
// changes: a reader that meets one takes the entry for absent.
type wideEntry struct {
	seq                        atomic.Uint64
	kind                       atomic.Uint64 // 0 for nothing, else 1 + kind
	keyHi, keyLo, valHi, valLo atomic.Uint64
}

func newCacheWide(n int) *cacheWide {
	size, shift := slots(n)
	return &cacheWide{make([]wideEntry, size), shift}
}

func (c *cacheWide) at(kind byte, key bits128) *wideEntry {
	h := (key.hi ^ uint64(kind)<<56) * spread
	h = (h ^ h>>32 ^ key.lo) * spread
	return &c.slot[h>>c.shift]
}

func (c *cacheWide) get(kind byte, key bits128) (bits128, bool) {
	e := c.at(kind, key)
	seq := e.seq.Load()
	ok := e.kind.Load() == uint64(kind)+1 && e.keyHi.Load() == key.hi && e.keyLo.Load() == key.lo
	v := bits128{e.valHi.Load(), e.valLo.Load()}
	if !ok || seq&1 != 0 || e.seq.Load() != seq {
		return bits128{}, false
	}
	return v, true
}

func (c *cacheWide) put(kind byte, key, value bits128) {
	e := c.at(kind, key)
	seq := e.seq.Load()
	if seq&1 != 0 || !e.seq.CompareAndSwap(seq, seq+1) {
		return // somebody else is writing: one of the two is enough
	}
	e.kind.Store(uint64(kind) + 1)
	e.keyHi.Store(key.hi)
	e.keyLo.Store(key.lo)
	e.valHi.Store(value.hi)
	e.valLo.Store(value.lo)
	e.seq.Store(seq + 2)
}

// cacheName maps folded names of one kind to their pseudonyms.
type cacheName struct {
	slot  []atomic.Pointer[nameEntry]
	shift int
}

type nameEntry struct {
	hash       uint64
	kind       byte
	key, value string
}

func newCacheName(n int) *cacheName {
	size, shift := slots(n)
	return &cacheName{make([]atomic.Pointer[nameEntry], size), shift}
}

func (c *cacheName) set(hash uint64) *[ways]atomic.Pointer[nameEntry] {
	return (*[ways]atomic.Pointer[nameEntry])(c.slot[hash>>c.shift&^(ways-1):])
}

// get returns nil when there is no entry.
func (c *cacheName) get(hash uint64, kind byte, key []byte) *nameEntry {
	set := c.set(hash)
	for i := range set {
		if e := set[i].Load(); e != nil && e.hash == hash && e.kind == kind && e.key == string(key) {
			return e
		}
	}
	return nil
}

func (c *cacheName) put(e *nameEntry) {
	set := c.set(e.hash)
	at := &set[e.hash%ways]
	for i := range set {
		if set[i].Load() == nil {
			at = &set[i]
			break
		}
	}
	at.Store(e)
}
