package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/latchstring/latchstring/sdk/transport"
)

// tunnel goes through an HTTP proxy.
type tunnel struct{ proxy string }

func (t tunnel) Dial(ctx context.Context, target transport.Target) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", t.proxy)
	if err != nil {
		return nil, err
	}
	br := bufio.NewReader(conn)
	err = transport.Converse(ctx, conn, func() error {
		fmt.Fprintf(conn, "CONNECT %s HTTP/1.1\r\nHost: %[1]s\r\n\r\n", target.Address)
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return transport.Errorf(transport.ProxyRefused, "ask for port 443 to be opened", "proxy %s: %s", t.proxy, resp.Status)
		}
		return nil
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	return transport.Buffered(conn, br), nil
}

func Example() {
	var t transport.Transport = tunnel{proxy: "127.0.0.1:1"} // nothing listens there
	_, err := t.Dial(context.Background(), transport.Target{Network: "tcp", Address: "rss.example:443"})
	fmt.Println(errors.Is(transport.Explain(err), transport.Refused))
	// Output: true
}
