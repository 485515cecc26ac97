// Command plugin is an example of a plugin program: it serves the transport,
// the collector and the authentication method of the packages beside it.
package main

import (
	"github.com/latchstring/latchstring/sdk"
	"github.com/latchstring/latchstring/sdk/auth"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/examples/motd"
	"github.com/latchstring/latchstring/sdk/examples/totp"
	"github.com/latchstring/latchstring/sdk/examples/websocket"
	"github.com/latchstring/latchstring/sdk/transport"
)

func main() {
	sdk.Serve(sdk.Plugin{
		Name:       "examples",
		Version:    "1.0.0",
		Transports: map[string]func() transport.Transport{"websocket": websocket.New},
		Collectors: map[string]func() collect.Collector{"motd": motd.New},
		Auths:      map[string]func() auth.Method{"totp": totp.New},
	})
}
