package access

import (
	"encoding/binary"
	"os"

	"github.com/creack/pty"
	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"
)

// ptyRequest is the payload of pty-req (RFC 4254, 6.2).
type ptyRequest struct {
	Term       string
	Cols, Rows uint32
	Width      uint32 // pixels
	Height     uint32
	Modes      string
}

// windowChange is the payload of window-change.
type windowChange struct{ Cols, Rows, Width, Height uint32 }

func sane(cols, rows uint32) (int, int) {
	return int(min(max(cols, 1), 4096)), int(min(max(rows, 1), 4096))
}

func parsePTY(payload []byte) (p ptyRequest, ok bool) {
	if ssh.Unmarshal(payload, &p) != nil || !plainWord(p.Term) {
		return p, false
	}
	if p.Cols == 0 || p.Rows == 0 {
		p.Cols, p.Rows = 80, 24
	}
	return p, true
}

// plainWord reports whether s may be the value of TERM or of a locale variable:
// such values become parts of file names in libraries, so no slash.
func plainWord(s string) bool {
	if len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.', c == '+', c == '@', c == ':', c == '=':
		default:
			return false
		}
	}
	return true
}

// openTerminal makes a pseudo terminal that belongs to the user.
func (s *server) openTerminal(p ptyRequest) (master, slave *os.File, err error) {
	master, slave, err = pty.Open()
	if err != nil {
		return nil, nil, err
	}
	if os.Geteuid() == 0 {
		// As grantpt(3) and sshd do it: the group is that of the terminal file system.
		_ = slave.Chown(int(s.account.UID), -1)
		_ = slave.Chmod(0o620)
	}
	cols, rows := sane(p.Cols, p.Rows)
	setSize(slave, cols, rows, p.Width, p.Height)
	applyModes(slave, []byte(p.Modes))
	if master, err = pollable(master); err != nil {
		slave.Close()
		return nil, nil, err
	}
	return master, slave, nil
}

// pollable makes the file one that deadlines work on: the library left it in
// blocking mode.
func pollable(f *os.File) (*os.File, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func setSize(f *os.File, cols, rows int, width, height uint32) {
	c, err := f.SyscallConn()
	if err != nil {
		return
	}
	size := unix.Winsize{Col: uint16(cols), Row: uint16(rows), Xpixel: uint16(min(width, 65535)), Ypixel: uint16(min(height, 65535))}
	_ = c.Control(func(fd uintptr) { _ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &size) })
}

// Terminal modes of RFC 4254, section 8, by their opcode.
var (
	modeChars = map[byte]int{1: unix.VINTR, 2: unix.VQUIT, 3: unix.VERASE, 4: unix.VKILL, 5: unix.VEOF, 6: unix.VEOL, 7: unix.VEOL2,
		8: unix.VSTART, 9: unix.VSTOP, 10: unix.VSUSP, 12: unix.VREPRINT, 13: unix.VWERASE, 14: unix.VLNEXT, 18: unix.VDISCARD}
	modeInput = map[byte]uint32{30: unix.IGNPAR, 31: unix.PARMRK, 32: unix.INPCK, 33: unix.ISTRIP, 34: unix.INLCR, 35: unix.IGNCR,
		36: unix.ICRNL, 37: unix.IUCLC, 38: unix.IXON, 39: unix.IXANY, 40: unix.IXOFF, 41: unix.IMAXBEL, 42: unix.IUTF8}
	modeLocal = map[byte]uint32{50: unix.ISIG, 51: unix.ICANON, 53: unix.ECHO, 54: unix.ECHOE, 55: unix.ECHOK, 56: unix.ECHONL,
		57: unix.NOFLSH, 58: unix.TOSTOP, 59: unix.IEXTEN, 60: unix.ECHOCTL, 61: unix.ECHOKE}
	modeOutput = map[byte]uint32{70: unix.OPOST, 71: unix.OLCUC, 72: unix.ONLCR, 73: unix.OCRNL, 74: unix.ONOCR, 75: unix.ONLRET}
)

// applyModes sets the terminal as the engineer's own is.
func applyModes(f *os.File, modes []byte) {
	t, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return
	}
	for len(modes) >= 5 && modes[0] != 0 && modes[0] < 160 {
		op, v := modes[0], binary.BigEndian.Uint32(modes[1:])
		modes = modes[5:]
		if c, ok := modeChars[op]; ok && v <= 255 {
			t.Cc[c] = byte(v)
			if v == 255 { // disabled
				t.Cc[c] = 0
			}
		}
		set(&t.Iflag, modeInput[op], v)
		set(&t.Lflag, modeLocal[op], v)
		set(&t.Oflag, modeOutput[op], v)
	}
	_ = unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, t)
}

func set(flags *uint32, bit, v uint32) {
	if v != 0 {
		*flags |= bit
	} else {
		*flags &^= bit
	}
}
