package pseudonym

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"hash/maphash"
	"sync"
)

// KeySize is the length of a customer's key in bytes.
const KeySize = 32

// Options choose between kinds of pseudonyms. Mappers with different options
// give different pseudonyms from one key.
type Options struct {
	// RandomIPs hides the structure of networks: addresses stay in their
	// class but share no prefixes any more.
	RandomIPs bool
	// KeepOUI leaves the vendor half of a MAC address readable.
	KeepOUI bool
	// CacheEntries bounds each cache, rounded up to a power of two; 0 means
	// 65536. All caches together then hold less than 24 MB.
	CacheEntries int
	// Record, if set, is told of every name token when it is computed, often
	// more than once, from many goroutines. See [Book.Record].
	Record func(token, original string)
}

// A Mapper turns identifiers into pseudonyms. It is safe for concurrent use.
type Mapper struct {
	opt Options

	v4, v6    *prefixCipher // Crypto-PAn
	mix       *mixer        // permutations without structure
	names     sync.Pool     // *nameMAC
	check     sync.Pool     // *nameMAC
	seed      maphash.Seed
	v4Cache   *cache32
	netCache  *cache32 // of networks; see encrypt4
	wideCache *cacheWide
	nameCache *cacheName
}

// New makes a Mapper for the customer's key.
func New(key *[KeySize]byte, opt Options) (*Mapper, error) {
	if key == nil {
		return nil, fmt.Errorf("pseudonyms need a key")
	}
	size := opt.CacheEntries
	if size <= 0 {
		size = 1 << 16
	}
	m := &Mapper{
		opt:       opt,
		seed:      maphash.MakeSeed(),
		v4Cache:   newCache32(size),
		netCache:  newCache32(size / 4),
		wideCache: newCacheWide(size / 4),
		nameCache: newCacheName(size / 2),
	}
	var err error
	if m.v4, err = newPrefixCipher(subkey(key, "ipv4")); err != nil {
		return nil, err
	}
	if m.v6, err = newPrefixCipher(subkey(key, "ipv6")); err != nil {
		return nil, err
	}
	if m.mix, err = newMixer(subkey(key, "mix")); err != nil {
		return nil, err
	}
	name, check := subkey(key, "name"), subkey(key, "name check")
	m.names.New = func() any { return newNameMAC(name) }
	m.check.New = func() any { return newNameMAC(check) }
	return m, nil
}

// subkey derives the key for one purpose (HKDF-SHA-256, RFC 5869).
func subkey(key *[KeySize]byte, purpose string) []byte {
	k, err := hkdf.Key(sha256.New, key[:], nil, "latchstring pseudonym v1: "+purpose, 32)
	if err != nil { // only for lengths beyond 8160 bytes
		panic(err)
	}
	return k
}

func newBlock(key []byte) (cipher.Block, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("pseudonym cipher: %w", err)
	}
	return b, nil
}

// nameMAC is a reusable HMAC-SHA-256 with room for its result.
type nameMAC struct {
	h   hash.Hash
	in  [8]byte
	sum [sha256.Size]byte
}

func newNameMAC(key []byte) *nameMAC { return &nameMAC{h: hmac.New(sha256.New, key)} }

// String keeps the key out of logs.
func (*Mapper) String() string { return "[pseudonym mapper]" }

// GoString keeps the key out of %#v.
func (*Mapper) GoString() string { return "[pseudonym mapper]" }
