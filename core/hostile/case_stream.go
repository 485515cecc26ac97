package hostile

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/handshake"
	"github.com/latchstring/latchstring/core/resume"
	"github.com/latchstring/latchstring/core/tunnel/link"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// The relay damages the stream that runs after the handshake, while files are
// copied both ways. Either the copy is right or whoever makes it hears that it
// is not.
var streams = []Case{
	{"flips-bits-of-content", "flips a bit in the content of a file that is copied", Noticed, duringCopy(func(u unit) [][]byte {
		u.b[frameHead+len(u.payload())/2] ^= 4
		return [][]byte{u.b}
	})},
	{"flips-bits-of-frames", "flips a bit in the head of a frame: its type, its length, its place", Harmless, duringCopy(
		func(u unit) [][]byte { u.b[0] ^= 0x40; return [][]byte{u.b} },
		func(u unit) [][]byte { u.b[3] ^= 1; return [][]byte{u.b} },
		func(u unit) [][]byte { u.b[frameHead-1] ^= 1; return [][]byte{u.b} })},
	{"doubles-frames", "sends a piece of a file twice", Harmless, duringCopy(func(u unit) [][]byte { return [][]byte{u.b, u.b} })},
	{"drops-frames", "leaves a piece of a file out", Harmless, duringCopy(func(u unit) [][]byte { return nil })},
	{"reorders-frames", "sends the pieces of a file in another order", Harmless, reordersFrames},
	{"truncates-stream", "ends the line in the middle of a piece, and says that this is the end", Noticed, duringCopy(
		func(u unit) [][]byte { return [][]byte{u.b[:len(u.b)/2], nil} },
		func(u unit) [][]byte { return [][]byte{frame(fin, u.position(), nil), u.b} })},
	{"injects-content", "puts bytes of its own between those of a file", Noticed, duringCopy(func(u unit) [][]byte {
		return [][]byte{frame(data, u.position(), bytes.Repeat([]byte("evil"), len(u.payload())/4+1)[:len(u.payload())])}
	})},
	{"forges-frames", "says that more has arrived than was sent, that nobody reads any more, and why the stream is over", Harmless, duringCopy(
		func(u unit) [][]byte { return [][]byte{frame(ack, 1<<40, nil), u.b} },
		func(u unit) [][]byte { return [][]byte{frame(ack, 0, nil), u.b} },
		func(u unit) [][]byte { return [][]byte{frame(stop, 0, nil), u.b} },
		func(u unit) [][]byte { return [][]byte{frame(reset, 1, make([]byte, 40)), u.b} },
		func(u unit) [][]byte { return [][]byte{frame(side, 1, make([]byte, 40)), u.b} })},
	{"takes-over-stream", "sends a second, colluding engineer to take over the first one's shell", Refused, takesOver},
}

// duringCopy damages one piece while a file is copied, for each direction and
// each of some ways.
func duringCopy(ways ...func(u unit) [][]byte) func(*world) (string, error) {
	return func(w *world) (string, error) { return w.damages(largeFrame, ways) }
}

func largeFrame(u unit) bool { return u.frame && u.kind == data && len(u.payload()) > 512 }

// damages damages one unit of a kind, in each of some ways. A way that ends with
// nothing cuts the line behind it.
func (w *world) damages(meant func(unit) bool, ways []func(u unit) [][]byte) (string, error) {
	return w.bothWays(len(ways), func(i int) func(*splice, unit) [][]byte {
		var once sync.Once
		return func(s *splice, u unit) [][]byte {
			out := [][]byte{u.b}
			if meant(u) {
				once.Do(func() { out = ways[i](u) })
				if len(out) == 2 && out[1] == nil {
					time.AfterFunc(10*time.Millisecond, s.cut)
				}
			}
			return out
		}
	})
}

// bothWays copies a file while one direction is meddled with, for each of them
// and each of some ways to do that.
func (w *world) bothWays(ways int, meddler func(way int) func(*splice, unit) [][]byte) (string, error) {
	whole, ended := 0, 0
	for _, up := range []bool{true, false} {
		for i := range ways {
			p := plan{down: meddler(i)}
			if up {
				p = plan{up: p.down}
			}
			ok, err := w.copies(p)
			if err != nil {
				return "", fmt.Errorf("way %d, to the system %v: %w", i, up, err)
			}
			if ok {
				whole++
			} else {
				ended++
			}
		}
	}
	return copied(whole, ended), w.after()
}

func copied(whole, ended int) string {
	switch {
	case ended == 0:
		return fmt.Sprintf("%d copies went on over another line and were right to the last byte", whole)
	case whole == 0:
		return fmt.Sprintf("%d copies were ended at once with an error; none passed for right", ended)
	}
	return fmt.Sprintf("%d copies went on and were right, %d were ended with an error; none passed for right that was not", whole, ended)
}

// copies copies a file to the system and back while a plan is in force. It
// reports whether that went well; that it seems so and did not is an error.
func (w *world) copies(p plan) (well bool, err error) {
	path, err := w.scratch("copy")
	if err != nil {
		return false, untested{err}
	}
	content := make([]byte, 256<<10)
	rand.Read(content)
	v, err := w.eng.enter(w.system)
	if err != nil {
		return false, err
	}
	defer v.leave()
	p.from = w.count() - 1
	w.set(p)
	defer w.set(plan{})
	stop := time.AfterFunc(3*time.Second, func() { v.conn.Abort("it takes too long") })
	defer stop.Stop()
	if err := v.copyTo(path, content); err != nil {
		return false, nil
	}
	if there, err := os.ReadFile(path); err != nil || !bytes.Equal(there, content) {
		return false, fmt.Errorf("the copy on the system is not what was sent, and nobody said so (%v)", err)
	}
	back, err := v.copyFrom(path)
	if err != nil {
		return false, nil
	}
	if !bytes.Equal(back, content) {
		return false, errors.New("the copy from the system is not what was there, and nobody said so")
	}
	return true, nil
}

// reorders holds a large unit back until after the next.
func (w *world) reorders(large, next func(unit) bool) (string, error) {
	return w.bothWays(1, func(int) func(*splice, unit) [][]byte {
		var mu sync.Mutex
		var held []byte
		swapped := false
		return func(_ *splice, u unit) [][]byte {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case swapped:
			case held == nil && large(u):
				held = u.b
				return nil
			case held != nil && next(u):
				swapped = true
				return [][]byte{u.b, held}
			}
			return [][]byte{u.b}
		}
	})
}

func reordersFrames(w *world) (string, error) {
	return w.reorders(largeFrame, func(u unit) bool { return u.frame && u.kind == data })
}

// prove goes through the handshake by the relay, without the program around it:
// a case needs what that keeps to itself.
func (e *engineer) prove(ctx context.Context, s *system, secret string) (*handshake.Conn, error) {
	conn, err := link.Dial(ctx, e.client, e.w.relay.vendor.receipt.PublicKey(), msg.PathConnect, url.Values{msg.QuerySystem: {s.id}})
	if err != nil {
		return nil, err
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	m, err := msg.NewReader(conn).Next()
	if err == nil {
		if _, ok := m.(*msg.Start); !ok {
			err = fmt.Errorf("the relay says %T", m)
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetReadDeadline(time.Time{})
	return e.handshake(ctx, conn, s, secret)
}

// handshake proves the engineer on a connection.
func (e *engineer) handshake(ctx context.Context, conn net.Conn, s *system, secret string) (*handshake.Conn, error) {
	witness, err := newKey()
	if err != nil {
		return nil, err
	}
	return handshake.Connect(ctx, conn, handshake.ClientOptions{System: s.id, Certificate: e.cert, Case: "INF-7", Witness: witness.PublicKey(),
		Secret: func() ([]byte, error) { return []byte(secret), nil }})
}

// takesOver lets bob, who has a right to be there, try to go on with ada's
// stream, whose name he even knows.
func takesOver(w *world) (string, error) {
	ctx, cancel := context.WithTimeout(w.ctx, 30*time.Second)
	defer cancel()
	hs, err := w.eng.prove(ctx, w.system, w.told)
	if err != nil {
		return "", err
	}
	reply, err := hs.Ask(ctx, handshake.Request{Open: true}, nil)
	if err != nil {
		return "", err
	}
	w.let++
	stream := resume.NewStream(hs.StreamKey(), resume.Options{})
	defer stream.Abort("")
	if err := stream.Attach(hs.Raw(), 0); err != nil {
		return "", err
	}
	shell, err := w.eng.over(stream, hs)
	if err != nil {
		return "", err
	}
	defer shell.leave()
	bob, err := w.newEngineer("bob")
	if err != nil {
		return "", err
	}
	for what, proof := range map[string]func(b *handshake.Conn) []byte{
		"nothing":     func(*handshake.Conn) []byte { return nil },
		"his own key": func(b *handshake.Conn) []byte { return resume.Proof(b.StreamKey(), b.Binding(), reply.Stream, 0) },
		"zeros":       func(b *handshake.Conn) []byte { return resume.Proof(make([]byte, 32), b.Binding(), reply.Stream, 0) },
	} {
		b, err := bob.prove(ctx, w.system, w.told)
		if err != nil {
			return "", err
		}
		_, err = b.Ask(ctx, handshake.Request{Stream: reply.Stream, Proof: proof(b)}, nil)
		b.Close()
		if codeOf(err) != handshake.CodeStream {
			return "", fmt.Errorf("bob asks for ada's stream with %s: %v", what, err)
		}
	}
	if err := shell.works(); err != nil {
		return "", fmt.Errorf("ada's shell was disturbed: %w", err)
	}
	return "refused three times: there is no such stream for him; the first engineer's shell went on", nil
}

// over speaks SSH over a stream that was made by hand.
func (e *engineer) over(stream *resume.Stream, hs *handshake.Conn) (*visit, error) {
	offer := hs.Offer()
	key, err := offer.SSHHostKey()
	if err != nil {
		return nil, err
	}
	c, chans, reqs, err := ssh.NewClientConn(stream, "by hand", &ssh.ClientConfig{User: connect.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(certified{e.key, e.cert})}, HostKeyCallback: ssh.FixedHostKey(key)})
	if err != nil {
		return nil, err
	}
	return &visit{e, &connect.Conn{Stream: stream}, ssh.NewClient(c, chans, reqs)}, nil
}

// certified signs with a key in the name of a certificate, which may be that of
// another key.
type certified struct {
	ssh.Signer
	cert *ssh.Certificate
}

func (c certified) PublicKey() ssh.PublicKey { return c.cert }
