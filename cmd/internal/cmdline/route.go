package cmdline

import (
	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/route"
)

// RouteFlags are the flags of commands that go out to the network.
func RouteFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "proxy", Usage: "go out through the proxy `URL`: https://user@host:port, socks4://userid@host:port, socks5://user@host:port; or machine, for HTTPS_PROXY and NO_PROXY"},
		&cli.StringFlag{Name: "proxy-password-file", Usage: "take the proxy user's password from `FILE` instead of asking"},
		&cli.StringFlag{Name: "bind", Usage: "leave from the local address or interface `ADDR`"},
	}
}

// Route reads the flags of [RouteFlags], and asks for a password where the
// proxy wants one and somebody is there to answer.
func Route(c *cli.Context) (route.Route, error) {
	o := route.Options{Proxy: c.String("proxy"), Bind: c.String("bind")}
	file := c.String("proxy-password-file")
	if file != "" || route.WantsPassword(o.Proxy) && Interactive() {
		password, err := Secret("password of the proxy user", file)
		if err != nil {
			return route.Route{}, err
		}
		defer clear(password)
		o.Password = password
	}
	return route.Parse(o)
}

// Relay reads the address of a relay from the flag --rss: HOST[:PORT], with port
// 443 unless another is given; empty when the flag is not.
func Relay(c *cli.Context) (string, error) {
	address := c.String("rss")
	if address == "" {
		return "", nil
	}
	address = api.WithPort(address)
	if err := api.CheckAddress(address); err != nil {
		return "", Usagef("--rss: %v", err)
	}
	return address, route.CheckRelay(address)
}
