package link

import (
	"fmt"
	"io"
	"net"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	muxWindow  = 4 << 20
	muxStreams = 64 // that wait to be accepted
)

// Mux makes one yamux session of a connection, for proxies that allow no
// second one. Both ends use the same limits: larger windows and longer
// time-outs keep hundreds of megabytes for streams that were given up.
// dialled says which end this is. There is no keepalive in it, since the
// control stream has one.
func Mux(conn net.Conn, dialled bool) (*yamux.Session, error) {
	cfg := yamux.DefaultConfig()
	cfg.MaxStreamWindowSize = muxWindow
	cfg.StreamCloseTimeout = 10 * time.Second
	cfg.StreamOpenTimeout = 30 * time.Second
	cfg.ConnectionWriteTimeout = 30 * time.Second
	cfg.AcceptBacklog = muxStreams
	cfg.EnableKeepAlive = false
	cfg.LogOutput = io.Discard
	open := yamux.Server
	if dialled {
		open = yamux.Client
	}
	s, err := open(conn, cfg)
	if err != nil {
		return nil, fmt.Errorf("link: multiplex: %w", err)
	}
	return s, nil
}
