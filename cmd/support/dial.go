package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
)

// accessFlags are those of every command that goes into a system.
func accessFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		&cli.StringFlag{Name: "case", Usage: "`NUMBER` of the case; the customer sees it and may ask for it"},
		&cli.StringFlag{Name: "secret-file", Usage: "`FILE` with the secret that the customer said; asked for when it is not given"},
		&cli.StringFlag{Name: "cert", Usage: "`FILE` with your certificate; default: KEY-cert.pub beside your key, or that of the SSH agent"},
		&cli.BoolFlag{Name: "accept-new-key", Usage: "the key of the system has changed, and the customer has read the new one to you"},
		passphraseFlag(),
	)
}

// way is everything that leads into one system.
type way struct {
	relay    *client.Client
	cfg      config
	signer   ssh.Signer // certified
	key      ssh.Signer // without the certificate
	cert     *ssh.Certificate
	certFile string // "" when it is in the agent
	system   api.System
	cache    *connect.Cache
	tell     *notices
	conn     *connect.Conn // once there is one
}

// onlyWay is findWay for a command that takes one system and nothing else.
func onlyWay(c *cli.Context) (*way, error) {
	name, rest, err := named(c)
	if err == nil && len(rest) > 0 {
		err = errOneSystem
	}
	if err != nil {
		return nil, err
	}
	return findWay(c, name)
}

// findWay logs in, finds the system and looks at the certificate: what is
// wrong is told before anybody is asked for a secret.
func findWay(c *cli.Context, name string) (*way, error) {
	cfg, err := readConfig(c)
	if err != nil {
		return nil, err
	}
	w := &way{cfg: cfg, tell: newNotices(c.App.ErrWriter)}
	if w.key, err = cfg.key(c); err != nil {
		return nil, err
	}
	if w.cert, w.certFile, err = certificate(c, cfg, w.key); err != nil {
		return nil, err
	}
	if w.signer, err = ssh.NewCertSigner(w.cert, w.key); err != nil {
		return nil, fmt.Errorf("use certificate: %w", err)
	}
	if w.relay, err = cfg.client(c, w.key); err != nil {
		return nil, err
	}
	if w.system, err = connect.Find(c.Context, w.relay, name); err != nil {
		w.close()
		return nil, err
	}
	var ca ssh.PublicKey
	if cfg.Vendor.SupportCA != "" {
		if ca, err = identity.ParseKey(cfg.Vendor.SupportCA); err != nil {
			w.close()
			return nil, fmt.Errorf("vendor record of the login: support CA: %w", err)
		}
	}
	if err := connect.CheckCertificate(w.cert, ca, w.system.ID, w.system.Name, time.Now()); err != nil {
		w.close()
		return nil, err
	}
	if err := w.known(c); err != nil {
		w.close()
		return nil, err
	}
	if w.cache, err = openCache(c); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *way) close() { w.relay.Close() }

// options are those of connect.Dial; ask says whether the secret may be asked
// for.
func (w *way) options(c *cli.Context, ask bool) (connect.Options, error) {
	key, err := w.cfg.Vendor.ReceiptPublicKey()
	if err != nil {
		return connect.Options{}, err
	}
	o := connect.Options{
		Relay: w.relay, RelayKey: key, System: w.system.ID, Name: w.system.Name, Certificate: w.cert, Case: c.String("case"),
		Cache: w.cache, Notify: w.tell.event, NewKey: w.newKey(c),
	}
	if ask {
		o.Secret = func() ([]byte, error) {
			if w.system.Session == nil {
				return nil, &connect.NotOpenError{System: w.system.Name}
			}
			return cmdline.Secret("Secret of "+w.system.Name+", as the customer says it", c.String("secret-file"))
		}
	}
	return o, nil
}

// dial goes into the system and speaks SSH there.
func (w *way) dial(c *cli.Context) (*ssh.Client, error) {
	o, err := w.options(c, true)
	if err != nil {
		return nil, err
	}
	o.SSH = true
	conn, err := connect.Dial(c.Context, o)
	if err != nil {
		return nil, err
	}
	w.conn = conn
	if err := w.remember(c); err != nil {
		conn.Close()
		return nil, err
	}
	cl, err := conn.SSH(c.Context, w.signer, func(banner string) { w.tell.say(printableLines(banner)) })
	if err != nil {
		conn.Close()
		return nil, err
	}
	return cl, nil
}

// lost prefers the reason for which the connection ended.
func (w *way) lost(err error) error {
	if end := w.conn.Ended(); end != nil {
		return end
	}
	return err
}

// client makes the client of the login, through the proxy it named.
func (cfg config) client(c *cli.Context, key ssh.Signer) (*client.Client, error) {
	pin, err := api.ParsePin(cfg.Pin)
	if err != nil {
		return nil, err
	}
	dial, err := proxyDial(c, cfg.Proxy, cfg.ProxyPasswordFile)
	if err != nil {
		return nil, err
	}
	return client.ForEngineer(cfg.RSS, pin, key.PublicKey(), client.KeySigner(key), dial)
}

// proxyDial is the way through a proxy; nil without one.
func proxyDial(c *cli.Context, proxy, passwordFile string) (client.DialFunc, error) {
	if proxy == "" {
		return nil, nil
	}
	return connect.Proxy(proxy, func() ([]byte, error) {
		return cmdline.Secret("Password of the proxy "+proxy, passwordFile)
	})
}

// runDir is for what lives as long as a session: enrolments.
func runDir(c *cli.Context) (string, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return "", err
	}
	if root.Dir != "" {
		return root.Run(), nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "latchstring"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a directory for enrolments: %w", err)
	}
	return filepath.Join(dir, "latchstring"), nil
}

func openCache(c *cli.Context) (*connect.Cache, error) {
	dir, err := runDir(c)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open enrolments: %w", err)
	}
	return connect.OpenCache(filepath.Join(dir, "enrolments"))
}

// notices tells the engineer what happens to the connection, also while the
// terminal is raw.
type notices struct {
	mu   sync.Mutex
	w    io.Writer
	last string
}

func newNotices(w io.Writer) *notices { return &notices{w: w} }

func (n *notices) say(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if text == "" || text == n.last {
		return
	}
	n.last = text
	end := "\n"
	if cmdline.Interactive() {
		end = "\r\n"
	}
	fmt.Fprintf(n.w, "support: %s%s", text, end)
}

func (n *notices) event(e connect.Event) { n.say(e.String()) }

// printableLines is foreign text of several lines, fit to be shown.
func printableLines(s string) string {
	lines := bytes.Split(bytes.TrimRight([]byte(s), "\r\n"), []byte("\n"))
	for i, l := range lines {
		lines[i] = []byte(printable(string(bytes.TrimRight(l, "\r"))))
	}
	return string(bytes.Join(lines, []byte("\r\n")))
}

// named splits the first argument, the system, from the rest.
func named(c *cli.Context) (string, []string, error) {
	if c.NArg() == 0 {
		return "", nil, cmdline.Usagef("name the system; see: support systems")
	}
	args := c.Args().Slice()
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	return args[0], rest, nil
}

// exitSilently turns the end of a command on the other side into that of ours.
func exitSilently(err error) error {
	var coder interface{ ExitCode() int }
	if errors.As(err, &coder) {
		return cmdline.Silent(coder.ExitCode())
	}
	return err
}
