package resume

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// An attachment needs the key of the stream, on the connection that it was
// made for, with the position that was told. REQ A9
func TestOnlyTheOwnerAttaches(t *testing.T) {
	var table Table
	key := []byte("key of the stream")
	id, s, err := table.Open(key, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Abort("")
	otherID, other, err := table.Open([]byte("key of another engineer"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Abort("")
	binding := []byte("binding of the connection")
	good := Attachment{Stream: id, Received: 7, Binding: binding, Proof: Proof(key, binding, id, 7)}
	for what, change := range map[string]func(*Attachment){
		"no proof":                     func(a *Attachment) { a.Proof = nil },
		"key of another engineer":      func(a *Attachment) { a.Proof = Proof([]byte("key of another engineer"), binding, id, 7) },
		"proof of another connection":  func(a *Attachment) { a.Binding = []byte("binding of his own connection") },
		"another position":             func(a *Attachment) { a.Received = 8 },
		"another stream":               func(a *Attachment) { a.Stream = otherID },
		"a stream that does not exist": func(a *Attachment) { a.Stream = "str-0" },
	} {
		a := good
		change(&a)
		granted := false
		err := table.Attach(a, func(uint64) (net.Conn, error) { granted = true; return nil, nil })
		if !errors.Is(err, ErrNoStream) || granted {
			t.Errorf("%s: %v, granted %v", what, err, granted)
		}
	}
	s.Abort("")
	<-s.Done()
	good.Received = 0
	good.Proof = Proof(key, binding, id, 0)
	if err := table.Attach(good, func(uint64) (net.Conn, error) { return nil, nil }); !errors.Is(err, ErrNoStream) {
		t.Errorf("a stream that is over: %v", err)
	}
}

// frames reads whole frames from one side of a relay.
func frames(r io.Reader, do func(h head, frame []byte) error) error {
	for {
		b := make([]byte, headSize)
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		h, err := parseHead(b)
		if err != nil {
			return err
		}
		b = append(b, make([]byte, h.length)...)
		if _, err := io.ReadFull(r, b[headSize:]); err != nil {
			return err
		}
		if err := do(h, b); err != nil {
			return err
		}
	}
}

// A relay doubles, swaps, drops and changes frames on the first connection; the
// stream gives that up and goes on over the next, and nothing is wrong with
// what is read.
func TestRelayMeddlesWithFrames(t *testing.T) {
	attacks := map[string]func(n int, h head, f []byte, w io.Writer){
		"doubles": func(n int, h head, f []byte, w io.Writer) {
			w.Write(f)
			if n == 5 {
				w.Write(f)
			}
		},
		"drops": func(n int, h head, f []byte, w io.Writer) {
			if n != 5 {
				w.Write(f)
			}
		},
		"another position": func(n int, h head, f []byte, w io.Writer) {
			if n == 5 {
				f[headSize-1]++
			}
			w.Write(f)
		},
		"another type": func(n int, h head, f []byte, w io.Writer) {
			if n == 5 {
				f[0] = 99
			}
			w.Write(f)
		},
		"a longer frame": func(n int, h head, f []byte, w io.Writer) {
			if n == 5 {
				f[1] = 0xff
			}
			w.Write(f)
		},
		"an end that is none, elsewhere": func(n int, h head, f []byte, w io.Writer) {
			if n == 5 {
				w.Write(appendHead(nil, typeFin, 0, h.position+1))
			}
			w.Write(f)
		},
		"an acknowledgement of what was not sent": func(n int, h head, f []byte, w io.Writer) {
			if n == 5 {
				w.Write(appendHead(nil, typeAck, 0, 1<<40))
			}
			w.Write(f)
		},
		"a reset of his own": func(n int, h head, f []byte, w io.Writer) {
			if n == 5 {
				w.Write(append(appendHead(nil, typeReset, sealOverhead, 1), make([]byte, sealOverhead)...))
			}
			w.Write(f)
		},
	}
	for what, attack := range attacks {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, ra := net.Pipe()
				rb, b := net.Pipe()
				n := 0
				go func() {
					frames(ra, func(h head, f []byte) error {
						if h.kind == typeData {
							n++
							attack(n, h, f, rb)
							return nil
						}
						_, err := rb.Write(f)
						return err
					})
					rb.Close()
				}()
				go func() {
					io.Copy(ra, rb)
					ra.Close()
				}()
				x, y := streams(t, a, b, Options{})
				data := content(9, 200<<10)
				go func() {
					for p := data; len(p) > 0; p = p[min(len(p), 10<<10):] {
						x.Write(p[:min(len(p), 10<<10)])
						time.Sleep(time.Millisecond)
					}
					x.CloseWrite()
				}()
				joined := make(chan struct{})
				go func() {
					defer close(joined)
					<-y.Lost()
					if y.Err() != nil {
						return
					}
					hx, errx := x.Take()
					hy, erry := y.Take()
					if errx != nil || erry != nil {
						return
					}
					c, d := net.Pipe()
					hx.Attach(c, hy.Received)
					hy.Attach(d, hx.Received)
				}()
				got, err := io.ReadAll(y)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d of %d bytes, %v", len(got), len(data), err)
				}
				<-joined
				x.Abort("")
				y.Abort("")
				time.Sleep(time.Minute)
			})
		})
	}
}

// Side messages: the relay can leave them out, and nothing else.
func TestRelayMeddlesWithSideMessages(t *testing.T) {
	key := []byte("key")
	engineer, system := newSeals(key, false), newSeals(key, true)
	one := engineer.append(nil, typeSide, []byte{1}, []byte("head one"))
	two := engineer.append(nil, typeSide, []byte{1}, []byte("head two"))
	open := func(s seals, f []byte) (seals, error) {
		f = bytes.Clone(f)
		h, err := parseHead(f)
		if err != nil {
			return s, err
		}
		p, err := s.open(h, f[headSize:])
		if err == nil && !bytes.HasPrefix(p, []byte("\x01head ")) {
			t.Errorf("%q", p)
		}
		return s, err
	}
	after, err := open(system, one)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(after, one); err == nil {
		t.Error("a message comes twice")
	}
	after, err = open(system, two) // one was left out
	if err != nil {
		t.Error(err)
	}
	if _, err := open(after, one); err == nil {
		t.Error("a message comes late")
	}
	if _, err := open(engineer, one); err == nil {
		t.Error("a message comes back to who sent it")
	}
	if _, err := open(newSeals([]byte("another key"), true), one); err == nil {
		t.Error("a message of another stream")
	}
	for i := range one {
		bad := bytes.Clone(one)
		bad[i] ^= 1
		if _, err := open(system, bad); err == nil {
			t.Errorf("byte %d can be changed", i)
		}
	}
	bad := bytes.Clone(one)
	bad[0] = byte(typeReset)
	if _, err := open(system, bad); err == nil {
		t.Error("a message becomes a reset")
	}
	if bytes.Contains(one, []byte("head one")) {
		t.Error("the relay can read it")
	}
}

// A stream whose every connection brings rubbish ends.
func TestRubbishForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := NewStream([]byte("key"), Options{})
		for range 2 * maxStrange {
			a, b := net.Pipe()
			if x.Attach(a, 0) != nil {
				b.Close()
				break
			}
			b.Write(bytes.Repeat([]byte{0xff}, headSize))
			<-x.Lost()
		}
		if err := x.Err(); !errors.Is(err, ErrProtocol) {
			t.Error(err)
		}
	})
}

// A peer that claims to have less than we have forgotten, or more than was ever
// written, is not believed.
func TestPositionsThatCannotBe(t *testing.T) {
	for _, position := range []uint64{6, 1 << 50} {
		x := NewStream([]byte("key"), Options{})
		x.Write([]byte("hello"))
		a, _ := net.Pipe()
		if err := x.Attach(a, position); !errors.Is(err, ErrProtocol) {
			t.Errorf("%d: %v", position, err)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(appendHead(nil, typePing, 0, 1))
	f.Add(append(appendHead(nil, typeData, 5, 0), "hello"...))
	f.Add(appendHead(append(appendHead(nil, typeData, 5, 0), "hello"...), typeFin, 0, 5))
	f.Add(appendHead(nil, typeAck, 0, 3))
	s := newSeals([]byte("key"), false)
	f.Add(s.append(nil, typeSide, []byte("xmessage")))
	f.Add(s.append(nil, typeReset, []byte("over")))
	f.Add(appendHead(nil, typeStop, 0, 0))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, b := net.Pipe()
		x := NewStream([]byte("key"), Options{Keep: 5 * time.Millisecond, System: true})
		x.Write([]byte("abc"))
		if err := x.Attach(a, 0); err != nil {
			b.Close()
			return // it was lost before
		}
		go io.Copy(io.Discard, b)
		go func() {
			b.Write(in)
			b.Close()
		}()
		got, _ := io.ReadAll(x)
		if len(got) > len(in) {
			t.Fatalf("%d bytes out of %d", len(got), len(in))
		}
		x.Abort("")
		<-x.Done()
	})
}
