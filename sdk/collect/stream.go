package collect

import (
	"os"
	"sync"
)

// Stream is an item that a collector writes. It is a pipe: Write waits until
// the host has read. Close it, or CloseWithError, always.
type Stream struct {
	w    *os.File
	end  func(truncated string, err error) error
	once sync.Once
	err  error

	mu        sync.Mutex
	truncated string
}

// NewStream is for the SDK: it makes a Stream of the write end of a pipe and a
// function that is called once, at its end.
func NewStream(w *os.File, end func(truncated string, err error) error) *Stream {
	return &Stream{w: w, end: end}
}

// Write writes to the item. It fails after the context has ended, and when the
// host wants no more of this item: then close the stream and go on.
func (s *Stream) Write(p []byte) (int, error) { return s.w.Write(p) }

// WriteString is Write for a string.
func (s *Stream) WriteString(p string) (int, error) { return s.w.WriteString(p) }

// Truncate notes that the item is not complete, and why.
func (s *Stream) Truncate(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.truncated = reason
}

// Close ends the item.
func (s *Stream) Close() error { return s.CloseWithError(nil) }

// CloseWithError ends the item with what went wrong in the middle of it: the
// host keeps what it has and notes the error.
func (s *Stream) CloseWithError(err error) error {
	s.once.Do(func() {
		s.w.Close()
		s.mu.Lock()
		truncated := s.truncated
		s.mu.Unlock()
		s.err = s.end(truncated, err)
	})
	return s.err
}
