package shell

import (
	"encoding/binary"

	"golang.org/x/crypto/ssh"
)

// requestPTY asks for a terminal (RFC 4254, section 6.2) and does not wait for
// the answer, which would cost a round trip: a system that gives none refuses
// the shell that is asked for next.
func requestPTY(s *ssh.Session, kind string, rows, cols int, modes ssh.TerminalModes) error {
	var list []byte
	for op, value := range modes {
		list = binary.BigEndian.AppendUint32(append(list, op), value)
	}
	_, err := s.SendRequest("pty-req", false, ssh.Marshal(struct {
		Term                      string
		Cols, Rows, Width, Height uint32
		Modes                     string
	}{kind, uint32(cols), uint32(rows), uint32(8 * cols), uint32(8 * rows), string(append(list, 0))}))
	return err
}
