package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/revoke"
)

func revokeCommand() *cli.Command {
	return &cli.Command{
		Name:  "revoke",
		Usage: "take engineers' certificates back before they end",
		Description: `For whoever holds the vendor's support CA. The list of revoked certificates is
signed with it, gets a higher number each time, and goes to the relay, from which
systems with an open session take it within half a minute; others when they open
one. A connection with a revoked certificate is cut.

An entry names one certificate by its serial, all of an engineer by his name, or
all of a key. --forget takes an entry off again, such as when the certificate has
ended. Without entries the same list is signed again: customers whose policy
demands a fresh list (engineer.revocations_max_age) need that.

With --list the list is kept in a file instead, and no relay is asked: its operator
takes it with rss revocations import FILE, a customer whom the relay keeps from it
with remote-support revocations import FILE.

Examples:
   support revoke --name ada --reason "laptop stolen" --ca support_ca
   support revoke --cert ada-cert.pub --ca support_ca.pub      (the CA is in the SSH agent)
   support revoke --ca support_ca                              the same list, signed anew
   support revoke --show`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "ca", Usage: "private key `FILE` of the support CA, or its public key when the SSH agent holds it"},
			&cli.StringSliceFlag{Name: "serial", Usage: "the certificate with this `NUMBER`; may repeat"},
			&cli.StringSliceFlag{Name: "cert", Usage: "the certificate in `FILE`, by its serial; may repeat"},
			&cli.StringSliceFlag{Name: "name", Usage: "all certificates of the engineer `NAME`, those to come too; may repeat"},
			&cli.StringSliceFlag{Name: "key", Usage: "all certificates of a key: `FILE` or SHA256:...; may repeat"},
			&cli.StringSliceFlag{Name: "forget", Usage: "take `ENTRY` off the list, as --show tells it; may repeat"},
			&cli.StringFlag{Name: "reason", Usage: "`TEXT` for customers and the engineer"},
			&cli.StringFlag{Name: "list", Usage: "keep the list in `FILE`, and ask no relay"},
			&cli.BoolFlag{Name: "show", Usage: "print the list and change nothing"},
			passphraseFlag(),
		},
		Action: revokeAction,
	}
}

func revokeAction(c *cli.Context) error {
	if c.NArg() != 0 {
		return cmdline.Usagef("entries have their flags: --serial, --cert, --name, --key")
	}
	shelf, err := listShelf(c)
	if err != nil {
		return err
	}
	defer shelf.close()
	raw, err := shelf.get()
	if err != nil {
		return err
	}
	if c.Bool("show") {
		return showRevoked(c, raw)
	}
	if c.String("ca") == "" {
		return cmdline.Usagef("--ca is needed to sign the list; --show prints it")
	}
	entries, err := revokedEntries(c, time.Now().UTC().Truncate(time.Second))
	if err != nil {
		return err
	}
	ca, err := keyOrAgent(c, c.String("ca"))
	if err != nil {
		return fmt.Errorf("support CA: %w", err)
	}
	list := &revoke.List{}
	if raw != nil {
		if list, err = revoke.Parse(raw, ca.PublicKey()); err != nil {
			return fmt.Errorf("%w; is %s the support CA of these systems?", err, c.String("ca"))
		}
	}
	next, err := nextList(c, *list, entries)
	if err != nil {
		return err
	}
	signed, err := revoke.Sign(ca, next)
	if err != nil {
		return err
	}
	if err := shelf.put(signed); err != nil {
		return err
	}
	warnOtherCA(c, ca.PublicKey())
	return cmdline.Print(c, next, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "list %d is signed, with %d entries; %s\n", next.Number, len(next.Revoked), shelf.where)
		return err
	})
}

// revokedEntries are those of the flags.
func revokedEntries(c *cli.Context, now time.Time) ([]revoke.Entry, error) {
	var all []revoke.Entry
	add := func(what string) error {
		if err := revoke.CheckWhat(what); err != nil {
			return cmdline.Usagef("%v", err)
		}
		all = append(all, revoke.Entry{What: what, Since: now, Reason: c.String("reason")})
		return nil
	}
	for _, s := range c.StringSlice("serial") {
		if err := add("serial:" + s); err != nil {
			return nil, err
		}
	}
	for _, f := range c.StringSlice("cert") {
		cert, err := certificateFile(f)
		if err != nil {
			return nil, err
		}
		if cert.Serial == 0 {
			return nil, fmt.Errorf("%s has the serial 0, as many others may; name its key or its engineer", f)
		}
		if err := add("serial:" + strconv.FormatUint(cert.Serial, 10)); err != nil {
			return nil, err
		}
	}
	for _, n := range c.StringSlice("name") {
		if err := add("name:" + n); err != nil {
			return nil, err
		}
	}
	for _, k := range c.StringSlice("key") {
		what := "key:" + k
		if revoke.CheckWhat(what) != nil {
			key, err := publicKeyFile(k)
			if err != nil {
				return nil, err
			}
			if cert, ok := key.(*ssh.Certificate); ok {
				key = cert.Key
			}
			what = "key:" + ssh.FingerprintSHA256(key)
		}
		if err := add(what); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// nextList is the list with the entries, less what is forgotten.
func nextList(c *cli.Context, l revoke.List, add []revoke.Entry) (revoke.List, error) {
	for _, f := range c.StringSlice("forget") {
		at := slices.IndexFunc(l.Revoked, func(e revoke.Entry) bool { return e.What == f })
		if at < 0 {
			return l, fmt.Errorf("the list has no entry %s; see: support revoke --show", f)
		}
		l.Revoked = slices.Delete(slices.Clone(l.Revoked), at, at+1)
	}
	for _, e := range add {
		if !slices.ContainsFunc(l.Revoked, func(o revoke.Entry) bool { return o.What == e.What }) {
			l.Revoked = append(l.Revoked, e)
		}
	}
	l.Number++
	l.Issued = time.Now().UTC().Truncate(time.Second)
	return l, nil
}

// shelf is where the list is.
type shelf struct {
	get   func() ([]byte, error) // nil: there is none
	put   func([]byte) error
	close func()
	where string // what happens next
}

func listShelf(c *cli.Context) (*shelf, error) {
	if path := c.String("list"); path != "" {
		return &shelf{
			get: func() ([]byte, error) {
				b, err := os.ReadFile(path)
				if errors.Is(err, os.ErrNotExist) {
					return nil, nil
				}
				return b, err
			},
			put:   func(b []byte) error { return durable.WriteFileMode(path, b, 0o644) },
			close: func() {}, where: "now at the relay: rss revocations import " + path,
		}, nil
	}
	cl, _, err := relayClient(c)
	if err != nil {
		return nil, err
	}
	return onRelay(c, cl), nil
}

func onRelay(c *cli.Context, cl *client.Client) *shelf {
	return &shelf{
		get:   func() ([]byte, error) { return cl.Revocations(c.Context) },
		put:   func(b []byte) error { return cl.PublishRevocations(c.Context, b) },
		close: cl.Close, where: "the relay has it, and systems take it from there",
	}
}

// showRevoked prints the list. Its signature is checked where the CA is known.
func showRevoked(c *cli.Context, raw []byte) error {
	if raw == nil {
		return cmdline.Print(c, revoke.List{Revoked: []revoke.Entry{}}, func(w io.Writer) error {
			_, err := fmt.Fprintln(w, "there is no list of revoked certificates yet")
			return err
		})
	}
	ca, err := supportCA(c)
	if err != nil {
		return err
	}
	list, err := revoke.Parse(raw, ca)
	if err != nil {
		return err
	}
	return cmdline.Print(c, list, func(w io.Writer) error { return cmdline.Table(w, revokedRows(list)) })
}

func revokedRows(l *revoke.List) [][]string {
	rows := [][]string{{fmt.Sprintf("list %d of %s", l.Number, date(l.Issued)), "SINCE", "REASON"}}
	for _, e := range l.Revoked {
		rows = append(rows, []string{e.What, date(e.Since), e.Reason})
	}
	return rows
}

// supportCA is that of --ca, or of the login's vendor record.
func supportCA(c *cli.Context) (ssh.PublicKey, error) {
	if path := c.String("ca"); path != "" {
		if key, err := publicKeyFile(path); err == nil {
			return key, nil
		}
		key, err := keyOrAgent(c, path)
		if err != nil {
			return nil, fmt.Errorf("support CA: %w", err)
		}
		return key.PublicKey(), nil
	}
	cfg, err := readConfig(c)
	if err != nil {
		return nil, err
	}
	return identity.ParseKey(cfg.Vendor.SupportCA)
}
