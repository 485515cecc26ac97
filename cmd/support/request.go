package main

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/bundler/ask"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/durable"
)

func requestCommand() *cli.Command {
	return &cli.Command{
		Name:  "request",
		Usage: "ask a customer for items of a bundle, by a signed file",
		Subcommands: []*cli.Command{{
			Name: "new", Usage: "make a request file",
			Description: `The customer runs ` + "`send-bundle --request FILE`" + `, sees each item with its reason,
and grants or refuses it. His policy has a word too: shells do not run, private
keys are not read, whatever is granted.

Behind " # " stands the reason of an item. The file is signed with your key, and
your certificate of the support CA says who you are; it ends when that ends. It
holds no secret and may go by mail.

Examples:
   support request new --system array-7 --collect logs --since 48h --reason "I/O errors since Sunday" --case C-4711 -o array-7.request
   support request new --system array-7 --include "/var/log/app.log # where it began" --command "lsblk -O # which disks" --reason "slow disks" -o array-7.request`,
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "system", Usage: "for the system with this `NAME` or id"},
				&cli.StringSliceFlag{Name: "collect", Usage: "what the collector `NAME` finds; may repeat"},
				&cli.StringSliceFlag{Name: "include", Usage: "the file or folder `PATH`; may repeat"},
				&cli.StringSliceFlag{Name: "command", Usage: "the output of `COMMAND`, without a shell; may repeat"},
				&cli.StringFlag{Name: "since", Usage: "logs not older than `AGE` when they are collected, as 48h or 7d"},
				&cli.StringFlag{Name: "reason", Usage: "`TEXT` for the customer: what it is for"},
				&cli.StringFlag{Name: "case", Usage: "number of the support case, `TEXT`"},
				&cli.DurationFlag{Name: "valid", Usage: "how long it can be answered, at most as long as the certificate", Value: 7 * 24 * time.Hour},
				&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write it to `FILE`, - for standard output"},
				&cli.StringFlag{Name: "key", Usage: "sign with the key in `FILE`; default: that of the login"},
				&cli.StringFlag{Name: "cert", Usage: "certificate in `FILE`; default: that beside the key"},
				passphraseFlag(),
			},
			Action: requestNew,
		}},
	}
}

type requestJSON struct {
	File string `json:"file,omitempty"`
	*ask.Request
	Engineer string `json:"engineer"`
}

func requestNew(c *cli.Context) error {
	r, err := requestOf(c, time.Now())
	if err != nil {
		return err
	}
	key, cert, err := requestKey(c)
	if err != nil {
		return err
	}
	data, r, err := ask.Sign(key, cert, *r)
	if err != nil {
		return err
	}
	out := c.String("output")
	if out == "-" {
		_, err := c.App.Writer.Write(data)
		return err
	}
	if err := durable.WriteFileMode(out, data, 0o644); err != nil {
		return fmt.Errorf("write request: %w", err)
	}
	return cmdline.Print(c, requestJSON{out, r, cert.KeyId}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "wrote %s: %s, %d items for %s, good until %s, signed by %s\n", out, r.ID, len(r.Items), r.System, date(r.Expires), cert.KeyId)
		return err
	})
}

// requestOf makes a request of the flags.
func requestOf(c *cli.Context, now time.Time) (*ask.Request, error) {
	for _, f := range []string{"system", "reason", "output"} {
		if strings.TrimSpace(c.String(f)) == "" {
			return nil, cmdline.Usagef("--%s is needed; see: support request new --help", f)
		}
	}
	valid := c.Duration("valid")
	if valid <= 0 || valid > ask.MaxValid {
		return nil, cmdline.Usagef("--valid %s: use up to %d days", valid, ask.MaxValid/(24*time.Hour))
	}
	r := &ask.Request{System: c.String("system"), Case: c.String("case"), Reason: c.String("reason"), Created: now, Expires: now.Add(valid)}
	if s := c.String("since"); s != "" {
		age, err := time.ParseDuration(s)
		if days, ok := strings.CutSuffix(s, "d"); ok {
			var n float64
			n, err = strconv.ParseFloat(days, 64)
			age = time.Duration(n * float64(24*time.Hour))
		}
		if err != nil || age < time.Second {
			return nil, cmdline.Usagef("--since %s: use an age as 48h or 7d", s)
		}
		r.SinceS = int64(age / time.Second)
	}
	for _, kind := range []string{ask.Collect, ask.Include, ask.Command} {
		for _, v := range c.StringSlice(kind) {
			value, reason, _ := strings.Cut(v, " # ")
			r.Items = append(r.Items, ask.Item{Kind: kind, Value: strings.TrimSpace(value), Reason: strings.TrimSpace(reason)})
		}
	}
	if len(r.Items) == 0 {
		return nil, cmdline.Usagef("ask for something: --collect, --include or --command")
	}
	return r, nil
}

// requestKey is the engineer's key with its certificate: those of the login, or
// of --key, for which no login is needed.
func requestKey(c *cli.Context) (ssh.Signer, *ssh.Certificate, error) {
	var cfg config
	var key ssh.Signer
	var err error
	if path := c.String("key"); path != "" {
		cfg.KeyFile = path
		key, err = keyOrAgent(c, path)
	} else if cfg, err = readConfig(c); err == nil {
		key, err = cfg.key(c)
	}
	if err != nil {
		return nil, nil, err
	}
	cert, _, err := certificate(c, cfg, key)
	if err != nil {
		return nil, nil, err
	}
	if end := connect.Ends(cert); !end.IsZero() && !time.Now().Before(end) {
		return nil, nil, &connect.CertificateError{Why: "ended at " + end.Local().Format("2006-01-02 15:04"), Help: "have a new one made: support certify KEY.pub --ca FILE --name NAME --valid 168h"}
	}
	if !bytes.Equal(cert.Key.Marshal(), key.PublicKey().Marshal()) {
		return nil, nil, fmt.Errorf("the certificate is of another key than %s", ssh.FingerprintSHA256(key.PublicKey()))
	}
	return key, cert, nil
}
