package resume

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"net"
	"sync"
)

// MaxStreams is how many streams a [Table] holds.
const MaxStreams = 1024

// Table holds the streams of a system, so that connections find them again.
// Its zero value is empty and ready.
type Table struct {
	mu      sync.Mutex
	streams map[string]*Stream
}

var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// Open makes a stream under a new id. It leaves the table when it is over.
func (t *Table) Open(key []byte, o Options) (id string, s *Stream, err error) {
	var random [10]byte
	rand.Read(random[:])
	id = "str-" + crockford.EncodeToString(random[:])
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.streams) >= MaxStreams {
		return "", nil, ErrFull
	}
	if t.streams == nil {
		t.streams = map[string]*Stream{}
	}
	o.System, o.Adaptive = true, true
	s = NewStream(key, o)
	t.streams[id] = s
	go func() {
		<-s.done
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.streams, id)
	}()
	return id, s, nil
}

// Attachment is an engineer's wish to go on with a stream.
type Attachment struct {
	Stream   string // id
	Received uint64 // of the stream by the engineer's side
	Proof    []byte // see [Proof]
	Binding  []byte // of the connection on which the wish came; not from the wish
}

// Proof shows on one connection, named by its binding, that the asker has the
// key of a stream.
func Proof(key, binding []byte, stream string, received uint64) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("latchstring v1 attach\x00"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(binding))))
	h.Write(binding)
	h.Write(binary.BigEndian.AppendUint64(nil, received))
	h.Write([]byte(stream))
	return h.Sum(nil)
}

// Attach lets another connection carry the stream that is asked for. grant tells
// the other side what this one has received, and returns what carries the stream
// from there on, which is closed if there is an error. On [ErrNoStream] grant was
// not called, so that the caller can say so.
func (t *Table) Attach(a Attachment, grant func(received uint64) (raw net.Conn, err error)) error {
	t.mu.Lock()
	s := t.streams[a.Stream]
	t.mu.Unlock()
	if s == nil || !s.proved(a) {
		return ErrNoStream
	}
	h, err := s.Take()
	if err != nil {
		return ErrNoStream // over in this moment
	}
	raw, err := grant(h.Received)
	if err != nil {
		return err
	}
	return h.Attach(raw, a.Received)
}

func (s *Stream) proved(a Attachment) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil && hmac.Equal(a.Proof, Proof(s.key, a.Binding, a.Stream, a.Received))
}

// Len is the number of streams.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.streams)
}
