package ws

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Read reads payload. It returns io.EOF after a normal close, and
// [ErrUnframed] where the frames end. A deadline that passes leaves the
// connection usable.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, c.rerr
	}
	for c.left == 0 {
		if _, err := c.next(); err != nil {
			return 0, err
		}
	}
	return c.payload(p)
}

// ReadMessage reads one whole message of at most limit bytes. It must not be
// mixed with a Read that stopped within a message.
func (c *Conn) ReadMessage(limit int) ([]byte, error) {
	var msg []byte
	for {
		fin, err := c.next()
		if err != nil {
			return nil, err
		}
		if c.left > uint64(limit-len(msg)) {
			c.rerr = fmt.Errorf("websocket: a message of more than %d bytes", limit)
			return nil, c.rerr
		}
		for at := len(msg); c.left > 0; {
			msg = append(msg, make([]byte, c.left)...)
			n, err := c.payload(msg[at:])
			if msg, at = msg[:at+n], at+n; err != nil {
				return nil, err
			}
		}
		if fin {
			return msg, nil
		}
	}
}

// payload reads from the current frame.
func (c *Conn) payload(p []byte) (int, error) {
	if uint64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.left -= uint64(n)
		if !c.client {
			c.key = mask(p[:n], p[:n], c.key)
		}
		return n, nil // an error comes again
	}
	return 0, c.failed(err)
}

// next reads heads, and serves control frames, until one of data is there. It
// reports whether that frame is the last of its message.
func (c *Conn) next() (fin bool, err error) {
	for c.rerr == nil {
		h, err := c.readHead()
		if err != nil {
			return false, err
		}
		if h.op >= opClose {
			if err := c.serveControl(h); err != nil {
				return false, err
			}
			continue
		}
		if err := c.begin(h); err != nil {
			c.rerr = err
			break
		}
		return h.fin, nil
	}
	return false, c.rerr
}

// begin takes the head of a data frame.
func (c *Conn) begin(h head) error {
	switch {
	case h.op == opText && h.fin && h.length == 0 && !c.open:
		return ErrUnframed
	case h.op == opText:
		return errors.New("websocket: a text frame, where only binary ones are sent")
	case (h.op == opContinue) != c.open:
		return errors.New("websocket: a fragment without its beginning, or a beginning within fragments")
	}
	c.open = !h.fin
	c.left, c.key = h.length, h.key
	if h.length > 0 {
		c.control = 0
	} else if err := c.count(); err != nil {
		return err
	}
	return nil
}

// count counts frames that carry nothing.
func (c *Conn) count() error {
	if c.control++; c.control > maxControl {
		return fmt.Errorf("websocket: more than %d control or empty frames without data", maxControl)
	}
	return nil
}

// readHead reads not a byte more than the head. What came before a deadline is
// kept for the next call.
func (c *Conn) readHead() (head, error) {
	for {
		need := 2
		if c.have >= 2 {
			need = headLen(c.head[1])
		}
		if c.have == need {
			break
		}
		n, err := c.Conn.Read(c.head[c.have:need])
		if c.have += n; n == 0 && err != nil {
			return head{}, c.failed(err)
		}
	}
	h, err := parseHead(c.head[:c.have])
	c.have = 0
	if err == nil && h.masked == c.client {
		err = errors.New("websocket: frames of a client are masked, those of a server are not; this one is the other way round")
	}
	if err != nil {
		c.rerr = err
	}
	return h, err
}

// serveControl reads and answers a control frame.
func (c *Conn) serveControl(h head) error {
	var b [maxPayload]byte
	p := b[:h.length]
	if _, err := io.ReadFull(c.Conn, p); err != nil {
		c.rerr = c.failed(err) // a deadline here is not survived: p is lost
		return c.rerr
	}
	mask(p, p, h.key)
	if c.rerr = c.count(); c.rerr != nil {
		return c.rerr
	}
	switch h.op {
	case opPing:
		c.answer(opPong, p)
	case opClose:
		c.answer(opClose, p)
		c.rerr = io.EOF
		if len(p) >= 2 {
			if code := binary.BigEndian.Uint16(p); code != 1000 && code != 1001 {
				c.rerr = fmt.Errorf("websocket: closed by the other end with code %d %.80q", code, p[2:])
			}
		}
	}
	return c.rerr
}

// failed says what an error of the connection below means in here.
func (c *Conn) failed(err error) error {
	if errors.Is(err, io.EOF) { // without a closing frame
		err = io.ErrUnexpectedEOF
	}
	return err
}
