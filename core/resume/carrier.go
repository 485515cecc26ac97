package resume

import (
	"bufio"
	"net"
	"time"
)

// carrier is one connection of a stream.
type carrier struct {
	raw      net.Conn
	vectored bool
	paced    pacer         // nil if raw is none
	lost     chan struct{} // closed when it is not the stream's any more
	since    time.Time

	// Of whoever is reading.
	in      *bufio.Reader
	left    int    // bytes of a data frame that are still to come
	frame   head   // a control frame whose payload is still to come
	payload []byte // nil if there is none
	filled  int

	// Guarded by the stream's lock.
	busy         bool      // somebody is reading
	interrupted  bool      // and was asked to look up
	heard        time.Time // something arrived
	acked        uint64    // what the other side was told
	ping, pong   bool      // to be sent
	pingNumber   uint64
	pingFresh    bool   // it was not sent yet
	pingSent     uint64 // where the stream was when it was sent first
	pongNumber   uint64
	pongReceived uint64    // how much had arrived when it was asked for
	asked        time.Time // when the ping that waits for an answer was made
	unproved     time.Time // since when the answer that proves it is outstanding
	proved       time.Time // when the other side itself answered last
	stopSent     bool
	finSent      bool
	resetSent    bool

	// Of whoever is writing.
	scratch     []byte
	pieces      [][]byte
	pieceSpace  [][]byte
	bufferSpace [][]byte
	buffers     net.Buffers
	data        int // bytes of the stream in the batch
}

// close ends the connection without waiting: closing TLS may take seconds.
func (c *carrier) close() {
	close(c.lost)
	c.raw.SetDeadline(time.Unix(1, 0))
	go c.raw.Close()
}

// lose takes the carrier away from the stream, if it has it.
func (s *Stream) lose(c *carrier, err error) {
	if s.carrier != c {
		return
	}
	s.carrier = nil
	s.adapt(c, err)
	c.close()
	s.pingTimer.Stop()
	if s.resetting || s.ended() {
		s.err = s.over(errDone)
		s.finish()
		return
	}
	if time.Since(c.since) >= healthy {
		s.redialDelay, s.strange = 0, 0
	}
	s.keepUntil = time.Now().Add(s.o.Keep)
	s.lostTimer.Reset(s.o.Keep)
	s.sides, s.sideSize = nil, 0
	s.canWrite.Broadcast()
	if s.o.State != nil {
		s.o.State(err)
	}
	s.redialSoon()
}

// ended reports whether both sides have said all they wanted to.
func (s *Stream) ended() bool {
	return s.eof && (s.stopped || s.finAcked)
}
