package hostile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchstring/latchstring/core/tunnel/link"
)

// The relay agrees to pass on what follows the end of TLS, and damages the
// records that come then. What it had to do with before, the frames of the
// stream, it cannot even see any more.
var below = []Case{
	{"flips-bits-of-records", "flips a bit of a sealed record: in its head, its content, its tag", Harmless, inRecords(
		func(u unit) [][]byte { u.b[0] ^= 4; return [][]byte{u.b} },
		func(u unit) [][]byte { u.b[4] ^= 1; return [][]byte{u.b} },
		func(u unit) [][]byte { u.b[len(u.b)/2] ^= 1; return [][]byte{u.b} },
		func(u unit) [][]byte { u.b[len(u.b)-1] ^= 1; return [][]byte{u.b} })},
	{"drops-records", "leaves a sealed record out, or ends the line in the middle of one", Harmless, inRecords(
		func(u unit) [][]byte { return nil },
		func(u unit) [][]byte { return [][]byte{u.b[:len(u.b)/2], nil} })},
	{"doubles-records", "sends a sealed record twice", Harmless, inRecords(func(u unit) [][]byte { return [][]byte{u.b, u.b} })},
	{"injects-records", "puts records of its own between the sealed ones", Harmless, inRecords(
		func(u unit) [][]byte { return [][]byte{sealedRecord(make([]byte, 64)), u.b} },
		func(u unit) [][]byte { return [][]byte{sealedRecord(nil), u.b} },
		func(u unit) [][]byte { return [][]byte{sealedRecord(u.b[recordHead:]), u.b} },
		func(u unit) [][]byte { return [][]byte{[]byte("HTTP/1.1 200 OK\r\n\r\n"), u.b} })},
	{"changes-suites", "changes the two messages in which the ends agree how records are sealed, and puts those of another connection in their place", Refused, whilePassing(changesSuites)},
	{"reorders-records", "holds a sealed record back until after the next", Harmless, whilePassing(reordersRecords)},
	{"reflects-records", "sends an end its own sealed records back", Harmless, whilePassing(reflectsRecords)},
	{"talks-within-tls", "sends bytes of its own within TLS when both ends have left it", Harmless, whilePassing(talksWithin)},
	{"ends-tls", "ends TLS itself, in the middle of the handshake and before the sealed records", Harmless, whilePassing(endsTLS)},
}

const recordHead = 5

// sealedRecord is a record with such a body.
func sealedRecord(body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{23, 3, 3}, uint16(len(body))), body...)
}

// passing makes the relay agree, on connections from now on.
func (w *world) passing(on bool) error {
	w.relay.mu.Lock()
	w.relay.passes = on
	w.relay.mu.Unlock()
	if _, _, err := w.off(); err != nil { // the spare is of before
		return err
	}
	return w.on(w.request())
}

// whilePassing runs an attack on such connections.
func whilePassing(attack func(*world) (string, error)) func(*world) (string, error) {
	return func(w *world) (string, error) {
		if err := w.passing(true); err != nil {
			return "", err
		}
		before := w.records()
		said, err := attack(w)
		if err == nil && w.records() == before {
			err = untested{errors.New("no sealed records came by")}
		}
		return said, errors.Join(err, w.passing(false))
	}
}

// records is how many sealed records came by.
func (w *world) records() int {
	w.relay.mu.Lock()
	defer w.relay.mu.Unlock()
	return w.relay.records
}

// inRecords damages one large record while a file is copied, for each direction
// and each of some ways.
func inRecords(ways ...func(u unit) [][]byte) func(*world) (string, error) {
	return whilePassing(func(w *world) (string, error) { return w.damages(largeRecord, ways) })
}

// changesSuites tries to have records sealed in another way than the ends would,
// or not at all.
func changesSuites(w *world) (string, error) {
	tried := 0
	for _, up := range []bool{true, false} {
		var other []byte // of the connection before
		for round := range 4 {
			var err error
			for range 3 { // a machine with much else to do may not answer in time
				err = w.damaged(round%2 == 1, up, sealed, func(b []byte) [][]byte {
					if round == 3 {
						return [][]byte{other}
					}
					other = bytes.Clone(b)
					b[messageHead+(len(b)-messageHead)*(round+1)/4] ^= 1 << round
					return [][]byte{b}
				})
				if !unanswered(err) {
					break
				}
			}
			if err != nil {
				return "", fmt.Errorf("round %d, up: %v: %w", round, up, err)
			}
			tried++
		}
	}
	return fmt.Sprintf("changed in %d ways: no connection came of it", tried), w.after()
}

func largeRecord(u unit) bool { return u.record && len(u.b) > 4<<10 }

func reordersRecords(w *world) (string, error) {
	return w.reorders(largeRecord, func(u unit) bool { return u.record })
}

// reflectsRecords gives each end what it has sealed itself.
func reflectsRecords(w *world) (string, error) {
	var mu sync.Mutex
	var first []byte
	done := false
	p := plan{
		up: func(_ *splice, u unit) [][]byte {
			mu.Lock()
			defer mu.Unlock()
			if u.record && first == nil {
				first = bytes.Clone(u.b)
			}
			return [][]byte{u.b}
		},
		down: func(_ *splice, u unit) [][]byte {
			mu.Lock()
			defer mu.Unlock()
			if u.record && first != nil && !done {
				done = true
				return [][]byte{first, u.b}
			}
			return [][]byte{u.b}
		},
	}
	ok, err := w.copies(p)
	if err != nil {
		return "", err
	}
	if !done {
		return "", untested{errors.New("nothing was sent back")}
	}
	if !ok {
		return "the copy was ended with an error", w.after()
	}
	return "the line was given up; the copy went on over another and was right to the last byte", w.after()
}

// talksWithin answers the end of a side's TLS with bytes within its own.
func talksWithin(w *world) (string, error) {
	var once sync.Once
	var said atomic.Bool
	w.set(plan{leave: func(to net.Conn) {
		once.Do(func() { _, err := to.Write([]byte("SSH-2.0-evil\r\n")); said.Store(err == nil) })
	}})
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "the connection was ended with an error: " + err.Error(), w.after()
	}
	defer v.leave()
	if err := v.works(); err != nil {
		return "", err
	}
	if !said.Load() {
		return "", untested{errors.New("nothing was said")}
	}
	return "the line was given up; the shell went on over another", w.after()
}

// endsTLS says that the other side has left TLS when it has not.
func endsTLS(w *world) (string, error) {
	for _, up := range []bool{true, false} {
		for _, when := range []byte{offer, claim, answer, sealed} {
			var once sync.Once
			end := func(s *splice, u unit) [][]byte {
				if !u.record && !u.frame && u.kind == when {
					once.Do(func() {
						if up {
							s.system.(*taped).CloseWrite()
						} else {
							s.engineer.(*taped).CloseWrite()
						}
					})
				}
				return [][]byte{u.b}
			}
			w.set(plan{up: end, down: end})
			if v, err := w.eng.enter(w.system); err == nil {
				err = v.works() // it came in by another try
				v.leave()
				if err != nil {
					return "", err
				}
			} else {
				w.may++ // the system may have let her in before the line broke
			}
			if err := w.after(); err != nil {
				return "", err
			}
		}
	}
	return "the connections broke, or nothing came of it; nobody got further than before", nil
}

// descend goes on below TLS on one direction of a splice, where a side has left
// it. It reports whether that was so.
func (s *splice) descend(to, from net.Conn, up bool) bool {
	in, ok := passes(from)
	out, ok2 := passes(to)
	if !ok || !ok2 {
		return false
	}
	if leave := s.r.now().leave; leave != nil {
		leave(to)
	}
	if to.(*taped).CloseWrite() != nil || out.Below().SetWriteDeadline(time.Time{}) != nil {
		return false
	}
	r := io.MultiReader(bytes.NewReader(in.Rest()), in.Below())
	for n := 0; ; n++ {
		b := make([]byte, recordHead)
		if _, err := io.ReadFull(r, b); err != nil {
			break
		}
		b = append(b, make([]byte, binary.BigEndian.Uint16(b[3:]))...)
		if _, err := io.ReadFull(r, b[recordHead:]); err != nil {
			break
		}
		s.r.mu.Lock()
		s.r.records++
		s.r.mu.Unlock()
		s.r.tape.add(from.(*taped).in, b)
		for _, b := range s.meddled(unit{up: up, record: true, n: n, b: b}) {
			if _, err := out.Below().Write(b); err != nil {
				break
			}
		}
	}
	s.close()
	return true
}

// passes is a link whose TLS can be left.
func passes(c net.Conn) (*link.Conn, bool) {
	t, ok := c.(*taped)
	if !ok {
		return nil, false
	}
	l, ok := t.Conn.(*link.Conn)
	return l, ok && l.Passes()
}
