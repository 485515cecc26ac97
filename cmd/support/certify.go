package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/identity"
)

// maxValid is longer than any shift: a certificate should end by itself, also where
// the list of revoked ones does not arrive.
const maxValid = 31 * 24 * time.Hour

func certifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "certify",
		Usage:     "make the certificate that says which engineer a key is of",
		ArgsUsage: "KEY.pub",
		Description: `For whoever holds the vendor's support CA (rss init leaves it with the things to
hand out: support_ca). Without such a certificate no system lets an engineer in,
and with it none does without the customer's secret.

It is written beside the key, as KEY-cert.pub, where ssh and support find it.
Stock OpenSSH makes the same:
   ssh-keygen -s support_ca -I ada -n latchstring -V -5m:+12h KEY.pub

Examples:
   support certify ada.pub --ca support_ca --name ada --valid 12h
   support certify ada.pub --ca support_ca.pub --name ada --system array-7   (the CA is in the SSH agent)`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "ca", Usage: "private key `FILE` of the support CA, or its public key when the SSH agent holds it"},
			&cli.StringFlag{Name: "name", Usage: "the engineer's `NAME`, as customers will see it"},
			&cli.DurationFlag{Name: "valid", Usage: "how long it is good, from now on", Value: 12 * time.Hour},
			&cli.StringSliceFlag{Name: "system", Usage: "only for the system with this `NAME` or id; may repeat"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write it to `FILE`, - for standard output"},
			passphraseFlag(),
		},
		Action: certify,
	}
}

type certifyJSON struct {
	File       string    `json:"file,omitempty"`
	Name       string    `json:"name"`
	Key        string    `json:"key"` // fingerprint
	CA         string    `json:"ca"`  // fingerprint
	Principals []string  `json:"principals"`
	Serial     uint64    `json:"serial"`
	From       time.Time `json:"from"`
	Until      time.Time `json:"until"`
}

func certify(c *cli.Context) error {
	if c.NArg() != 1 {
		return cmdline.Usagef("name the engineer's public key: KEY.pub")
	}
	path := c.Args().First()
	for _, f := range []string{"ca", "name"} {
		if c.String(f) == "" {
			return cmdline.Usagef("--%s is needed; see: support certify --help", f)
		}
	}
	if !engineerName(c.String("name")) {
		return cmdline.Usagef("--name %.80q: use letters, digits, '.', '_', '-' and '@'", c.String("name"))
	}
	if v := c.Duration("valid"); v <= 0 || v > maxValid {
		return cmdline.Usagef("--valid %s: use up to %d days: where no list of revoked ones arrives, a certificate must end by itself", v, maxValid/(24*time.Hour))
	}
	key, err := publicKeyFile(path)
	if err != nil {
		return err
	}
	ca, err := keyOrAgent(c, c.String("ca"))
	if err != nil {
		return fmt.Errorf("support CA: %w", err)
	}
	cert, err := connect.Certify(ca, connect.CertificateRequest{Key: key, Name: c.String("name"), Systems: c.StringSlice("system"), Valid: c.Duration("valid")})
	if err != nil {
		return err
	}
	line := ssh.MarshalAuthorizedKey(cert)
	out := certifyJSON{Name: cert.KeyId, Key: ssh.FingerprintSHA256(key), CA: ssh.FingerprintSHA256(ca.PublicKey()), Principals: cert.ValidPrincipals,
		Serial: cert.Serial, From: time.Unix(int64(cert.ValidAfter), 0), Until: connect.Ends(cert)}
	switch to := c.String("output"); to {
	case "-":
		_, err := c.App.Writer.Write(line)
		return err
	case "":
		out.File = certificatePath(path)
	default:
		out.File = to
	}
	if err := durable.WriteFileMode(out.File, line, 0o644); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	warnOtherCA(c, ca.PublicKey())
	return cmdline.Print(c, out, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "wrote %s: %s for %s, until %s\n", out.File, out.Name, forSystems(out.Principals), date(out.Until))
		return err
	})
}

// warnOtherCA tells when the login's vendor record names another CA: such a
// certificate opens nothing there.
func warnOtherCA(c *cli.Context, ca ssh.PublicKey) {
	cfg, err := readConfig(c)
	if err != nil || cfg.Vendor.SupportCA == "" {
		return
	}
	want, err := identity.ParseKey(cfg.Vendor.SupportCA)
	if err == nil && !bytes.Equal(want.Marshal(), ca.Marshal()) {
		fmt.Fprintf(c.App.ErrWriter, "support: the systems of relay %s trust another support CA, %s; they will not accept this certificate\n", cfg.RSS, ssh.FingerprintSHA256(want))
	}
}

func forSystems(principals []string) string {
	var names []string
	for _, p := range principals {
		if p == connect.PrincipalAny {
			return "every system"
		}
		names = append(names, strings.TrimPrefix(p, "system:"))
	}
	return strings.Join(names, ", ")
}

func engineerName(s string) bool {
	for _, r := range s {
		if r > 0x7e || r <= ' ' || strings.ContainsRune("\"'`\\$&|;<>(){}*?![]#,:/", r) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// certificatePath is where OpenSSH has the certificate of a key.
func certificatePath(key string) string { return strings.TrimSuffix(key, ".pub") + "-cert.pub" }

// publicKeyFile reads a public key. A private key that was named by mistake is
// told apart: it must not travel.
func publicKeyFile(path string) (ssh.PublicKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(b)
	if err == nil {
		return key, nil
	}
	if bytes.Contains(b, []byte("PRIVATE KEY-----")) {
		return nil, fmt.Errorf("read public key: %s is a private key, which stays with its owner; use %s.pub", path, path)
	}
	return nil, fmt.Errorf("read public key %s: %w", path, err)
}

// keyOrAgent is the private key in a file, or that of the agent to the public
// key in it.
func keyOrAgent(c *cli.Context, path string) (ssh.Signer, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	defer clear(b)
	public, _, _, _, err := ssh.ParseAuthorizedKey(b)
	if err != nil {
		return fileKey(c, path)
	}
	signers, err := agentKeys()
	if err != nil {
		return nil, err
	}
	for _, s := range signers {
		if bytes.Equal(s.PublicKey().Marshal(), public.Marshal()) {
			return s, nil
		}
	}
	return nil, fmt.Errorf("the SSH agent does not have the key %s; add it with ssh-add", ssh.FingerprintSHA256(public))
}

// certificate finds the engineer's certificate: the file of --cert, that
// beside the key, or one in the agent.
func certificate(c *cli.Context, cfg config, key ssh.Signer) (*ssh.Certificate, string, error) {
	if path := c.String("cert"); path != "" {
		cert, err := certificateFile(path)
		if err == nil && !bytes.Equal(cert.Key.Marshal(), key.PublicKey().Marshal()) {
			err = fmt.Errorf("certificate %s is of the key %s, and you log in with %s", path, ssh.FingerprintSHA256(cert.Key), ssh.FingerprintSHA256(key.PublicKey()))
		}
		return cert, path, err
	}
	if cfg.KeyFile != "" {
		path := certificatePath(cfg.KeyFile)
		cert, err := certificateFile(path)
		if err == nil && bytes.Equal(cert.Key.Marshal(), key.PublicKey().Marshal()) {
			return cert, path, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, "", err
		}
	}
	certs, err := agentCertificates()
	if err != nil {
		return nil, "", err
	}
	var best *ssh.Certificate
	for _, cert := range certs {
		if bytes.Equal(cert.Key.Marshal(), key.PublicKey().Marshal()) && (best == nil || cert.ValidBefore > best.ValidBefore) {
			best = cert
		}
	}
	if best != nil {
		return best, "", nil
	}
	return nil, "", &noCertificate{key: ssh.FingerprintSHA256(key.PublicKey())}
}

type noCertificate struct{ key string }

func (e *noCertificate) Error() string {
	return "there is no certificate of your key " + e.key + ", and no system lets a key in without one"
}

// Hint says what to do.
func (e *noCertificate) Hint() string {
	return "whoever holds the support CA makes it: support certify KEY.pub --ca FILE --name NAME --valid 12h; put it beside the key as KEY-cert.pub, or name it with --cert"
}

func certificateFile(path string) (*ssh.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	cert, err := connect.ParseCertificate(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cert, nil
}
