package through

import "encoding/binary"

// Write writes p. After an error nothing more can be written.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.WritePieces([][]byte{p}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WritePieces writes several pieces, as few records and in as few calls as that
// is good for.
func (c *Conn) WritePieces(pieces [][]byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	for _, p := range pieces {
		for len(p) > 0 {
			n := min(len(p), most)
			if err := c.seal(p[:n]); err != nil {
				return err
			}
			p = p[n:]
			if len(c.out) > (batch-1)*whole {
				if err := c.flush(); err != nil {
					return err
				}
			}
		}
	}
	return c.flush()
}

// seal appends a record to what is to be written.
func (c *Conn) seal(p []byte) error {
	if c.broken != nil {
		return c.broken
	}
	nonce, err := c.send.next()
	if err != nil {
		c.broken = err
		return err
	}
	if need := len(c.out) + headSize + len(p) + overhead; need > cap(c.out) {
		size := need
		if len(c.out) > 0 || len(p) == most { // much comes
			size = batch * whole
		}
		c.out = append(make([]byte, 0, size), c.out...)
	}
	at := len(c.out)
	c.out = append(c.out, recordType, recordVersion, recordVersion, 0, 0)
	binary.BigEndian.PutUint16(c.out[at+3:], uint16(len(p)+overhead))
	c.out = c.send.aead.Seal(c.out, nonce, p, c.out[at:at+headSize])
	return nil
}

func (c *Conn) flush() error {
	if c.broken != nil || len(c.out) == 0 {
		return c.broken
	}
	_, err := c.below.Write(c.out)
	c.out = c.out[:0]
	c.broken = err
	return err
}
