package agent

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"
)

// piped reads from somewhere.
type piped struct {
	net.Conn
	r io.Reader
}

func (p piped) Read(b []byte) (int, error) { return p.r.Read(b) }

func TestForetold(t *testing.T) {
	const version = "SSH-2.0-Latchstring"
	for name, came := range map[string]io.Reader{
		"whole":   bytes.NewReader([]byte(version + "\r\nthe rest")),
		"by byte": iotest.OneByteReader(bytes.NewReader([]byte(version + "\r\nthe rest"))),
	} {
		got, err := io.ReadAll(iotest.OneByteReader(foretell(piped{r: came}, version)))
		if err != nil || string(got) != version+"\r\nthe rest" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	// It is there before anything came.
	far, near := net.Pipe()
	defer far.Close()
	defer near.Close()
	line := make([]byte, len(version)+2)
	if _, err := io.ReadFull(foretell(near, version), line); err != nil || string(line) != version+"\r\n" {
		t.Errorf("%q, %v", line, err)
	}
	if got, err := io.ReadAll(foretell(piped{r: bytes.NewReader([]byte("SSH-2.0-Something\r\n and so on"))}, version)); !errors.Is(err, errForetold) {
		t.Errorf("another version: %q, %v", got, err)
	}
	if _, err := io.ReadAll(foretell(piped{r: bytes.NewReader([]byte("SSH"))}, version)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %v", err)
	}
	if c := (piped{}); foretell(c, "") != net.Conn(c) {
		t.Error("without a word of it the stream is another")
	}
}
