package through

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// What a record begins with: application data of TLS 1.2 and later.
const (
	recordType    = 23
	recordVersion = 3
)

// Read reads what the other side wrote. Errors other than a time-out stay.
func (c *Conn) Read(p []byte) (n int, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	switch {
	case c.failed != nil:
		return 0, c.failed
	case len(p) == 0:
		return 0, nil
	case len(c.opened) > 0:
		return c.take(p), nil
	}
	defer func() {
		var t net.Error
		if err != nil && !(errors.As(err, &t) && t.Timeout()) {
			c.failed = err
		}
	}()
	if !c.left {
		if err := c.leave(); err != nil {
			return 0, err
		}
	}
	for {
		if n, err = c.open(p); n > 0 || err != nil {
			return n, err
		}
		if err := c.fill(); err != nil {
			return 0, err
		}
	}
}

func (c *Conn) take(p []byte) int {
	n := copy(p, c.opened)
	c.opened = c.opened[n:]
	return n
}

// leave waits for the end of the other side's TLS.
func (c *Conn) leave() error {
	var one [1]byte
	switch _, err := io.ReadFull(c.carrier, one[:]); {
	case err == nil:
		return fmt.Errorf("%w: something follows within TLS", ErrRecord)
	case !errors.Is(err, io.EOF):
		return err
	}
	c.left = true
	c.buf = append(c.buf, c.carrier.Rest()...)
	c.n = len(c.buf)
	return nil
}

// open opens the records that are there: straight into p those that fit, and
// one that does not fit where it is.
func (c *Conn) open(p []byte) (n int, err error) {
	for c.n-c.at >= headSize {
		head := c.buf[c.at : c.at+headSize]
		size := int(binary.BigEndian.Uint16(head[3:]))
		if head[0] != recordType || head[1] != recordVersion || head[2] != recordVersion || size <= overhead || size > most+overhead {
			return n, ErrRecord
		}
		end := c.at + headSize + size
		if end > c.n {
			break
		}
		fits := size-overhead <= len(p)-n
		if !fits && n > 0 {
			break // it stays until the next call
		}
		sealed := c.buf[c.at+headSize : end]
		to := sealed[:0]
		if fits {
			to = p[n:n]
		}
		nonce, err := c.receive.next()
		if err != nil {
			return n, err
		}
		opened, err := c.receive.aead.Open(to, nonce, sealed, head)
		if err != nil {
			return n, ErrRecord
		}
		c.at = end
		if !fits {
			c.opened = opened
			return c.take(p), nil
		}
		n += len(opened)
	}
	return n, nil
}

// fill reads more of the connection. There is less than a record.
func (c *Conn) fill() error {
	if c.at > 0 {
		c.n = copy(c.buf, c.buf[c.at:c.n])
		c.at = 0
	}
	if len(c.buf) < batch*whole {
		c.buf = append(make([]byte, 0, batch*whole), c.buf[:c.n]...)[:batch*whole]
	}
	c.much.Store(false)
	if c.waits != nil {
		c.waits()
	}
	n, err := c.below.Read(c.buf[c.n:])
	c.n += n
	c.much.Store(n >= much)
	if n > 0 {
		return nil
	}
	return err
}
