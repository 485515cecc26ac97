package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
)

// maxKeys is how many keys of an agent a login tries.
const maxKeys = 8

func passphraseFlag() cli.Flag {
	return &cli.StringFlag{Name: "passphrase-file", Usage: "`FILE` with the passphrase of the key"}
}

func loginCommand() *cli.Command {
	return &cli.Command{
		Name:  "login",
		Usage: "log in to a relay and remember it",
		Description: `Uses the named key, or those of the SSH agent, or ~/.ssh/id_*. The operator of
the relay adds the public key, and says the pin of the relay's authority:
   rss engineers add NAME --key-file KEY.pub --role bundles --role access

Examples:
   support login --rss rss.example.com --pin SHA256:...
   support login --rss rss.example.com --key ~/.ssh/work
   support login --rss rss.example.com --key ~/.ssh/token.pub           (in the SSH agent)
   support login --rss rss.example.com --proxy http://proxy.example.com:3128`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "rss", Usage: "the relay's `HOST[:PORT]`"},
			&cli.StringFlag{Name: "pin", Usage: "`SHA256:...` of the relay's authority; asked for when it is not given"},
			&cli.StringFlag{Name: "key", Usage: "private key `FILE`, or a public one of the SSH agent"},
			&cli.StringFlag{Name: "proxy", Usage: "reach the relay through the proxy at `URL`: http://[user@]host:port (CONNECT) or socks5://[user@]host:port; remembered"},
			&cli.StringFlag{Name: "proxy-password-file", Usage: "`FILE` with the password of the proxy's user; remembered"},
			passphraseFlag(),
		},
		Action: login,
	}
}

func login(c *cli.Context) error {
	if c.String("rss") == "" {
		return cmdline.Usagef("--rss is needed: the relay's address")
	}
	address := api.WithPort(c.String("rss"))
	if err := api.CheckAddress(address); err != nil {
		return cmdline.Usagef("--rss: %v", err)
	}
	way, err := loginProxy(c)
	if err != nil {
		return err
	}
	pin, err := choosePin(c, address, way.dial)
	if err != nil {
		return err
	}
	keys, err := chooseKeys(c)
	if err != nil {
		return err
	}
	var refused error
	for _, k := range keys {
		cfg, err := tryLogin(c, address, pin, k, way)
		var e *api.Error
		if errors.As(err, &e) && e.Code == api.CodeUnknownKey {
			refused = err
			continue
		}
		if err != nil {
			return err
		}
		if err := cfg.write(c); err != nil {
			return err
		}
		return cmdline.Print(c, cfg, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "logged in to %s (%s) as %s\n", cfg.RSS, cfg.Vendor.Name, cfg.Name)
			return err
		})
	}
	if len(keys) > 1 {
		return fmt.Errorf("none of %d keys is known to relay %s; name the right one with --key, or have it added: rss engineers add", len(keys), address)
	}
	return refused
}

// proxyWay is how a login reaches the relay; empty for directly.
type proxyWay struct {
	url, passwordFile string
	dial              client.DialFunc
}

func loginProxy(c *cli.Context) (proxyWay, error) {
	w := proxyWay{url: c.String("proxy")}
	if w.url == "" {
		return w, nil
	}
	if _, err := connect.CheckProxy(w.url); err != nil {
		return w, cmdline.Usagef("--proxy: %v", err)
	}
	var err error
	if f := c.String("proxy-password-file"); f != "" {
		if w.passwordFile, err = filepath.Abs(f); err != nil {
			return w, fmt.Errorf("find password: %w", err)
		}
	}
	w.dial, err = proxyDial(c, w.url, w.passwordFile)
	return w, err
}

// choosePin takes the pin from the command line, or shows what the relay
// presents and asks.
func choosePin(c *cli.Context, address string, dial client.DialFunc) (api.Pin, error) {
	if p := c.String("pin"); p != "" {
		pin, err := api.ParsePin(p)
		if err != nil {
			return api.Pin{}, cmdline.Usagef("--pin: %v", err)
		}
		return pin, nil
	}
	if cfg, err := readConfig(c); err == nil && cfg.RSS == address {
		return api.ParsePin(cfg.Pin)
	}
	pin, subject, err := client.Presented(c.Context, address, dial)
	if err != nil {
		return api.Pin{}, err
	}
	if !cmdline.Interactive() {
		return api.Pin{}, cmdline.Usagef("the authority of relay %s is not known yet; compare what it shows with what its operator says, and name it with --pin %s", address, pin)
	}
	ok, err := cmdline.Confirm(fmt.Sprintf("Relay %s shows the authority %q,\n  %s\nIs that what its operator says?", address, subject, pin))
	if err != nil {
		return api.Pin{}, err
	}
	if !ok {
		return api.Pin{}, errors.New("the relay's authority was not accepted; nothing was sent")
	}
	return pin, nil
}

func chooseKeys(c *cli.Context) ([]candidate, error) {
	if path := c.String("key"); path != "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("find key: %w", err)
		}
		s, err := keyOrAgent(c, abs)
		if err != nil {
			return nil, err
		}
		return []candidate{{signer: s, file: abs}}, nil
	}
	keys, err := candidates()
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, cmdline.Usagef("no SSH key was found, in no agent and not in ~/.ssh; name one with --key FILE")
	}
	return keys[:min(len(keys), maxKeys)], nil
}

func tryLogin(c *cli.Context, address string, pin api.Pin, k candidate, way proxyWay) (config, error) {
	cl, err := client.ForEngineer(address, pin, k.signer.PublicKey(), client.KeySigner(k.signer), way.dial)
	if err != nil {
		return config{}, err
	}
	defer cl.Close()
	name, err := cl.Login(c.Context)
	if err != nil {
		return config{}, err
	}
	cfg := config{Name: name, RSS: address, Pin: pin.String(), KeyFile: k.file, Proxy: way.url, ProxyPasswordFile: way.passwordFile}
	if k.file == "" {
		cfg.Agent = ssh.FingerprintSHA256(k.signer.PublicKey())
	}
	cfg.Vendor, err = cl.Vendor(c.Context)
	return cfg, err
}

// relayClient makes the client of the login that is remembered.
func relayClient(c *cli.Context) (*client.Client, config, error) {
	cfg, err := readConfig(c)
	if err != nil {
		return nil, config{}, err
	}
	key, err := cfg.key(c)
	if err != nil {
		return nil, config{}, err
	}
	cl, err := cfg.client(c, key)
	return cl, cfg, err
}
