package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	challenge "github.com/latchstring/latchstring/plugins/auth/challenge/code"
)

// maxChallenge is more than any challenge has, with what mail adds to it.
const maxChallenge = 4096

func respondCommand() *cli.Command {
	return &cli.Command{
		Name:      "respond",
		Usage:     "answer the challenge of a customer whose array or network is down",
		ArgsUsage: "CHALLENGE",
		Description: `Make sure first that you speak with the customer, and that the six characters
that both sides see are the same. Whoever has the response can log in on that
one system, once.

The challenge may have spaces and any case; - reads it from standard input. The
key is Ed25519, also that of a security key: a private key file, or a public one
whose private key the SSH agent has.

Examples:
   support respond --key vendor_key --engineer ada --case C-4711 040TY G2RGF ...
   support respond --key vendor_key.pub --system sys-0123456789abcdef - < mail.txt`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "key", Usage: "private key `FILE`, or a public one of the SSH agent"},
			passphraseFlag(),
			&cli.StringFlag{Name: "engineer", Usage: "your `NAME`; that of the login when it is not given"},
			&cli.StringFlag{Name: "case", Usage: "`NUMBER` of the case"},
			&cli.StringFlag{Name: "system", Usage: "`ID` of the system that must have made the challenge"},
			&cli.DurationFlag{Name: "max-session", Usage: "the longest session that may be opened", Value: 8 * time.Hour},
			&cli.DurationFlag{Name: "valid", Usage: "how long the response is good, from when the challenge was made", Value: time.Hour},
		},
		Action: respond,
	}
}

type respondJSON struct {
	Response    string    `json:"response"`
	Compare     string    `json:"compare"`
	Action      string    `json:"action"`
	Issued      time.Time `json:"issued"` // by the system's clock
	Engineer    string    `json:"engineer"`
	Case        string    `json:"case,omitempty"`
	MaxSession  string    `json:"max_session"`
	Valid       string    `json:"valid"`
	Fingerprint string    `json:"key"`
}

func respond(c *cli.Context) error {
	text, err := challengeText(c)
	if err != nil {
		return err
	}
	ch, err := challenge.ParseChallenge(text)
	if err != nil {
		return cmdline.Usagef("read the challenge: %v", err)
	}
	if id := c.String("system"); id != "" && challenge.HostOf(id) != ch.Host {
		return &otherSystem{id}
	}
	grant := challenge.Grant{Engineer: c.String("engineer"), Case: c.String("case"), Longest: c.Duration("max-session"), Valid: c.Duration("valid")}
	if grant.Engineer == "" {
		cfg, err := readConfig(c)
		if err != nil && !errors.Is(err, errNotLoggedIn) {
			return err
		}
		if grant.Engineer = cfg.Name; grant.Engineer == "" {
			return cmdline.Usagef("--engineer is needed: your name, for the customer's audit log")
		}
	}
	key, err := signingKey(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.ErrWriter, "The customer must see %s. Challenge to %s, made at %s by that system's clock.\n",
		ch.Fingerprint(), ch.Action, ch.Issued.Format(time.RFC3339))
	r, err := challenge.Respond(ch, grant, key)
	if err != nil {
		return err
	}
	out := respondJSON{r.Text(), ch.Fingerprint(), ch.Action.String(), ch.Issued, grant.Engineer, grant.Case,
		grant.Longest.String(), grant.Valid.String(), ssh.FingerprintSHA256(key.PublicKey())}
	return cmdline.Print(c, out, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, inLines(out.Response))
		return err
	})
}

// otherSystem says that the challenge is not of the system that was named.
type otherSystem struct{ id string }

func (e *otherSystem) Error() string {
	return fmt.Sprintf("the challenge was not made by system %s; no response was made", e.id)
}

// ExitCode is that of a check that did not hold.
func (e *otherSystem) ExitCode() int { return cmdline.ExitCheckFailed }

func challengeText(c *cli.Context) (string, error) {
	args := c.Args().Slice()
	switch {
	case len(args) == 0:
		return "", cmdline.Usagef("the challenge is needed, or - for standard input")
	case len(args) > 1 || args[0] != "-":
		return strings.Join(args, " "), nil
	}
	b, err := io.ReadAll(io.LimitReader(os.Stdin, maxChallenge+1))
	if err != nil {
		return "", fmt.Errorf("read the challenge: %w", err)
	}
	return string(b), nil
}

// signingKey is the private key in the file of --key, or that of the agent to
// the public key in it.
func signingKey(c *cli.Context) (ssh.Signer, error) {
	path := c.String("key")
	if path == "" {
		return nil, cmdline.Usagef("--key is needed: the vendor's key for responses")
	}
	return keyOrAgent(c, path)
}

// inLines breaks a text of groups into lines that are easy to read aloud.
func inLines(text string) string {
	groups := strings.Fields(text)
	var b strings.Builder
	for i, g := range groups {
		switch {
		case i == 0:
		case i%8 == 0:
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(g)
	}
	return b.String()
}
