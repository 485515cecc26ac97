package sanitize

// Key is the customer's pseudonym key. Equal keys give equal pseudonyms in
// every file, run and machine; without it they cannot be turned back.
type Key [32]byte

// String keeps the key out of logs.
func (Key) String() string { return "[pseudonym key]" }

// GoString keeps the key out of %#v.
func (Key) GoString() string { return "[pseudonym key]" }
