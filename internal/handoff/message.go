package handoff

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxRights is the kernel's limit on descriptors in one message (SCM_MAX_FD).
// The buffer has room for all of them: what is not received cannot be closed.
const maxRights = 253

// send writes one message, with the descriptor of f when f is not nil.
func (c *Channel) send(h header, payload []byte, f syscall.Conn) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("handoff: payload of %d bytes, at most %d fit in a message", len(payload), MaxPayload)
	}
	h.length = uint32(len(payload))
	msg := append(h.appendTo(make([]byte, 0, headerSize+len(payload))), payload...)
	if f == nil {
		return c.write(msg, nil)
	}
	rc, err := f.SyscallConn()
	if err != nil {
		return fmt.Errorf("handoff: descriptor to pass: %w", err)
	}
	var sendErr error
	// Control keeps the descriptor open during the call and, unlike
	// File.Fd, leaves its mode alone.
	err = rc.Control(func(fd uintptr) {
		sendErr = c.write(msg, unix.UnixRights(int(fd)))
	})
	if err != nil {
		return fmt.Errorf("handoff: descriptor to pass: %w", err)
	}
	return sendErr
}

func (c *Channel) write(msg, oob []byte) error {
	c.sendMu.Lock()
	defer c.sendMu.Unlock()
	c.conn.SetWriteDeadline(time.Now().Add(sendPatience))
	_, _, err := c.conn.WriteMsgUnix(msg, oob, nil)
	if err == nil {
		return nil
	}
	if ended := c.Err(); ended != nil {
		return ended
	}
	// A descriptor that cannot travel (too many in flight, bad) is this
	// message's misfortune; anything else is the channel's end.
	if errors.Is(err, unix.ETOOMANYREFS) || errors.Is(err, unix.EBADF) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("handoff: send descriptor: %w", err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("the other side did not read for %v: %w", sendPatience, err)
	}
	c.fail(err)
	return c.Err()
}

// read takes messages until the channel ends.
func (c *Channel) read() {
	// One byte more than allowed shows a message that is too long.
	buf := make([]byte, headerSize+MaxPayload+1)
	oob := make([]byte, unix.CmsgSpace(maxRights*4)+unix.CmsgSpace(unix.SizeofUcred))
	for {
		n, oobn, flags, _, err := c.conn.ReadMsgUnix(buf, oob)
		// Descriptors may come even with an error: an empty message
		// reads as the end of the file.
		files, oobErr := received(oob[:oobn])
		if err != nil {
			closeAll(files)
			if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) {
				err = io.EOF
			}
			c.fail(err)
			return
		}
		if err := c.message(buf[:n], files, flags, oobErr); err != nil {
			closeAll(files)
			c.fail(err)
			return
		}
	}
}

// message checks one message and gives it to whom it is for. On error the
// caller closes the files; else they are taken over.
func (c *Channel) message(msg []byte, files []*os.File, flags int, oobErr error) error {
	if oobErr != nil {
		return oobErr
	}
	if flags&unix.MSG_TRUNC != 0 {
		return fmt.Errorf("%w: message longer than %d bytes", ErrProtocol, headerSize+MaxPayload)
	}
	if flags&unix.MSG_CTRUNC != 0 {
		return fmt.Errorf("%w: descriptors were lost on the way (too many in one message, or too many open here)", ErrProtocol)
	}
	h, payload, err := parse(msg)
	if err != nil {
		return err
	}
	least, most := h.files()
	if len(files) < least || len(files) > most {
		return fmt.Errorf("%w: %d descriptors in a message of kind %d", ErrProtocol, len(files), h.kind)
	}
	var f *os.File
	if len(files) == 1 {
		f = files[0]
	}
	switch h.kind {
	case kindPass:
		return c.passed(h.id, f)
	case kindCall:
		return c.called(h, append([]byte(nil), payload...))
	case kindReply:
		return c.replied(h, append([]byte(nil), payload...), f)
	case kindTaken:
		select {
		case <-c.credit:
			return nil
		default:
			return fmt.Errorf("%w: a descriptor was taken that nobody passed", ErrProtocol)
		}
	default:
		c.cancelled(h.id)
		return nil
	}
}

// passed gives a descriptor to whoever waits for it, or keeps it.
func (c *Channel) passed(id uint64, f *os.File) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ch, waited := c.waiting[id]; {
	case c.err != nil:
		return c.err
	case waited:
		delete(c.waiting, id)
		ch <- f // has room for the one
		return nil
	}
	if _, ok := c.forgotten[id]; ok {
		delete(c.forgotten, id)
		f.Close()
		go c.taken(id) // not here: a send may wait, and we are the reader
		return nil
	}
	if _, ok := c.backlog[id]; ok {
		return fmt.Errorf("%w: a second descriptor under id %d", ErrProtocol, id)
	}
	if len(c.backlog) >= MaxBacklog {
		return fmt.Errorf("%w: more than %d descriptors that nobody asked for", ErrProtocol, MaxBacklog)
	}
	c.backlog[id] = f
	return nil
}

// received makes files of the descriptors in a control message. Even with an
// error it returns those it found, for the caller to close.
func received(oob []byte) ([]*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	msgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, fmt.Errorf("%w: control message: %w", ErrProtocol, err)
	}
	var files []*os.File
	for i := range msgs {
		if msgs[i].Header.Level != unix.SOL_SOCKET || msgs[i].Header.Type != unix.SCM_RIGHTS {
			err = fmt.Errorf("%w: control message that passes no descriptor", ErrProtocol)
			continue
		}
		fds, perr := unix.ParseUnixRights(&msgs[i])
		if perr != nil {
			err = fmt.Errorf("%w: control message: %w", ErrProtocol, perr)
			continue
		}
		for _, fd := range fds {
			files = append(files, adopt(fd))
		}
	}
	return files, err
}

// adopt makes a file of a received descriptor. Close-on-exec is set already:
// the net package receives with MSG_CMSG_CLOEXEC.
func adopt(fd int) *os.File {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil {
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFIFO, unix.S_IFSOCK:
			unix.SetNonblock(fd, true) // so that os.File can interrupt a read
		}
	}
	return os.NewFile(uintptr(fd), "handoff")
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
