package handoff

import (
	"fmt"
	"net"
	"os"
)

// Listener waits for a host that attaches to a plugin which a developer
// started by hand. In service there is none: a plugin inherits its channel.
type Listener struct{ ln *net.UnixListener }

// Listen makes a socket at path, in a directory that only its owner enters.
func Listen(path string) (*Listener, error) {
	ln, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return nil, fmt.Errorf("listen for a host: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		ln.Close()
		return nil, fmt.Errorf("listen for a host: %w", err)
	}
	return &Listener{ln}, nil
}

// Accept waits for the next host and returns the plugin's end of the channel.
func (l *Listener) Accept() (*Channel, error) {
	conn, err := l.ln.AcceptUnix()
	if err != nil {
		return nil, fmt.Errorf("wait for a host: %w", err)
	}
	return start(conn, true), nil
}

// Close stops to listen and removes the socket.
func (l *Listener) Close() error { return l.ln.Close() }

// Dial attaches to a plugin that listens at path and returns the host's end.
func Dial(path string) (*Channel, error) {
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return nil, fmt.Errorf("attach to plugin: %w", err)
	}
	return start(conn, false), nil
}
