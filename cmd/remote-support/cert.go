package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/web/cert"
)

func certCommand() *cli.Command {
	return &cli.Command{
		Name:  "cert",
		Usage: "the certificate of the web pages",
		Description: `A self-signed one is made when the pages are first served. To use another, put its
private key and it, in PEM form, into the file that is shown (mode 0600); it counts
from the next connection on.

Examples:
   remote-support cert show`,
		Subcommands: []*cli.Command{{
			Name:   "show",
			Usage:  "show whose it is, how long it is good, and its fingerprint",
			Action: showCert,
		}},
	}
}

// certInfo is what is shown.
type certInfo struct {
	File        string    `json:"file"`
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	SelfSigned  bool      `json:"self_signed"`
	Names       []string  `json:"names"`
	Until       time.Time `json:"until"`
	Fingerprint string    `json:"fingerprint"` // SHA-256 of the certificate
}

func showCert(c *cli.Context) error {
	root, err := cmdline.Root(c)
	if err != nil {
		return err
	}
	s := cert.Open(root.Var("web"), nil)
	if _, err := os.Stat(s.Path()); errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no certificate yet; one is made when the web pages are first served: remote-support serve")
	}
	leaf, err := s.Leaf()
	if err != nil {
		return err
	}
	info := certInfo{File: s.Path(), Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), SelfSigned: leaf.CheckSignatureFrom(leaf) == nil || leaf.Subject.String() == leaf.Issuer.String(),
		Names: leaf.DNSNames, Until: leaf.NotAfter, Fingerprint: cert.Fingerprint(leaf)}
	for _, ip := range leaf.IPAddresses {
		info.Names = append(info.Names, ip.String())
	}
	return cmdline.Print(c, info, func(w io.Writer) error {
		issuer := info.Issuer
		if info.SelfSigned {
			issuer = "itself (self-signed)"
		}
		return cmdline.Table(w, [][]string{
			{"subject", info.Subject}, {"names", strings.Join(info.Names, ", ")}, {"signed by", issuer},
			{"good until", info.Until.Local().Format("2006-01-02 15:04:05 MST")}, {"SHA-256", info.Fingerprint}, {"file", info.File},
		})
	})
}
