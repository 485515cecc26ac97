package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/agent"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/web/cert"
)

func certCommand() *cli.Command {
	return &cli.Command{
		Name:  "cert",
		Usage: "the certificate of the web pages",
		Description: `A self-signed one is made when the pages are first served, and renewed by itself. To
use another, upload it with its private key, or make a request (CSR) here, have it
signed, and upload what comes back. It counts from the next connection on; no
restart is needed. What you chose is never replaced by itself: status says so 30
days before it ends.

This is root's; administrators do the same on the web page, Custom Certificates.

Examples:
   remote-support cert show
   remote-support cert csr --cn sa.example.com --o "Example Bank" --c US > request.pem
   remote-support cert upload certificate.pem
   remote-support cert self-signed --cn sa.example.com`,
		Subcommands: []*cli.Command{
			{
				Name:   "show",
				Usage:  "show whose it is, how long it is good, its fingerprint, and the request that waits",
				Action: showCert,
			},
			{
				Name:      "upload",
				Usage:     "use the certificate in a file",
				ArgsUsage: "FILE",
				Description: `FILE is PEM text with the private key and the certificate, and with those of the
authorities if there are any, in any order; - is the standard input. A certificate
alone is taken if it is for the request that was made here, or for the key in use.
RSA with 2048 or 4096 bits, ECDSA on P-256 or P-384; no password. If a check does
not hold, the old certificate goes on being served, and the exit code is 4.

Examples:
   cat key.pem certificate.pem chain.pem > both.pem
   remote-support cert upload both.pem
   remote-support cert upload --any-name alias.pem`,
				Flags:  []cli.Flag{&cli.BoolFlag{Name: "any-name", Usage: "take it although it is for no name of this system: the pages are reached by a name that the certificate has"}},
				Action: uploadCert,
			},
			{
				Name:  "csr",
				Usage: "make a key and a request for a certificate (CSR)",
				Description: `The request goes to the standard output, or into DIR as ` + cert.RequestFile + `.
The private key stays on this machine, mode 0600, until the certificate is uploaded;
with --with-key a copy goes into DIR too. Another request takes the place of the
one that waits.

Examples:
   remote-support cert csr --cn sa.example.com --o "Example Bank" --ou IT --c US --st California > request.pem
   remote-support cert csr --cn sa.example.com --san sa --san 10.0.0.5 --key-type p256 --out /tmp`,
				Flags: append(subjectFlags(),
					&cli.StringFlag{Name: "out", Usage: "write the files into `DIR`, which exists"},
					&cli.BoolFlag{Name: "with-key", Usage: "write a copy of the private key too, as " + cert.KeyFile + " (0600); needs --out"}),
				Action: requestCert,
			},
			{
				Name:  "self-signed",
				Usage: "make a self-signed certificate and use it at once",
				Description: `It is good for two years, for the common name and all names and addresses of this
machine, or those of --san. Browsers warn of it; compare the fingerprint.

Examples:
   remote-support cert self-signed --cn sa.example.com
   remote-support cert self-signed --cn sa.example.com --o "Example Bank" --san 10.0.0.5`,
				Flags:  subjectFlags(),
				Action: selfSignCert,
			},
		},
	}
}

func subjectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "cn", Usage: "common `NAME`: by which browsers reach the pages"},
		&cli.StringFlag{Name: "o", Usage: "`ORGANIZATION`"},
		&cli.StringFlag{Name: "ou", Usage: "organizational `UNIT`"},
		&cli.StringFlag{Name: "c", Usage: "`COUNTRY`, two letters"},
		&cli.StringFlag{Name: "st", Usage: "`STATE`"},
		&cli.StringSliceFlag{Name: "san", Usage: "one more `NAME` or address; may repeat"},
		&cli.StringFlag{Name: "key-type", Value: cert.KeyTypes[0], Usage: "`KIND` of key: " + strings.Join(cert.KeyTypes, ", ")},
	}
}

func subjectOf(c *cli.Context) control.CertificateSubject {
	return control.CertificateSubject{CommonName: c.String("cn"), Organization: c.String("o"), Unit: c.String("ou"), Country: c.String("c"), State: c.String("st"),
		Names: c.StringSlice("san"), KeyType: c.String("key-type")}
}

// withCerts calls f with the state opened in this process: the agent sees a file
// that was changed.
func withCerts(c *cli.Context, f func(ctx context.Context, a *agent.Agent) error) (err error) {
	a, err := openAgent(c)
	if err != nil {
		return err
	}
	defer closing(a, &err)
	return f(c.Context, a)
}

func showCert(c *cli.Context) error {
	return withCerts(c, func(ctx context.Context, a *agent.Agent) error {
		info, err := a.Certificate(ctx, control.Self())
		if errors.Is(err, fs.ErrNotExist) {
			return errors.New("there is no certificate yet; one is made when the web pages are first served: remote-support serve")
		}
		if err != nil {
			return err
		}
		return printCert(c, info, "")
	})
}

func printCert(c *cli.Context, info control.Certificate, headline string) error {
	return cmdline.Print(c, info, func(w io.Writer) error {
		if headline != "" {
			fmt.Fprintln(w, headline)
		}
		issuer := info.Issuer
		if info.SelfSigned {
			issuer = "itself (self-signed)"
		}
		until := info.Until.Local().Format("2006-01-02 15:04:05 MST")
		if info.Renewed {
			until += ", renewed by itself"
		}
		rows := [][]string{{"subject", info.Subject}, {"names", strings.Join(info.Names, ", ")}, {"signed by", issuer}}
		if info.Chain > 0 {
			rows = append(rows, []string{"with it", fmt.Sprintf("%d certificates of authorities", info.Chain)})
		}
		rows = append(rows, []string{"key", info.Key}, []string{"good until", until}, []string{"SHA-256", info.Fingerprint}, []string{"file", info.File})
		if r := info.Request; r != nil {
			rows = append(rows, []string{"request", fmt.Sprintf("of %s waits for its certificate: %s", r.Made.Local().Format(time.DateTime), r.Subject)})
		}
		if err := cmdline.Table(w, rows); err != nil {
			return err
		}
		for _, n := range append(info.Notes, info.Warning) {
			if n != "" {
				fmt.Fprintln(w, "note:", n)
			}
		}
		return nil
	})
}

func uploadCert(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name one file with the certificate and its private key, or - for the standard input")
	}
	text, err := readCert(c.Args().First())
	if err != nil {
		return err
	}
	defer clear(text)
	return withCerts(c, func(ctx context.Context, a *agent.Agent) error {
		info, err := a.UploadCertificate(ctx, control.Self(), control.CertificateUpload{PEM: text, AnyName: c.Bool("any-name")})
		var r *cert.Refused
		if errors.As(err, &r) && r.Check == cert.Name {
			r.Help = "have one made for this name; or say that the pages are reached by the other one: --any-name"
		}
		if err != nil {
			return err
		}
		return printCert(c, info, "the certificate was verified and is in use; refresh the browser")
	})
}

// readCert reads a file, and no more of it than a certificate can be.
func readCert(name string) ([]byte, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return nil, fmt.Errorf("read the certificate: %w", err)
		}
		defer f.Close()
	}
	b, err := io.ReadAll(io.LimitReader(f, cert.MaxUpload+1))
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return b, nil
}

func selfSignCert(c *cli.Context) error {
	return withCerts(c, func(ctx context.Context, a *agent.Agent) error {
		info, err := a.SelfSignCertificate(ctx, control.Self(), subjectOf(c))
		if err != nil {
			return err
		}
		return printCert(c, info, "the self-signed certificate is in use; refresh the browser")
	})
}
