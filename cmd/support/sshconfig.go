package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/durable"
)

func sshConfigCommand() *cli.Command {
	return &cli.Command{
		Name:      "ssh-config",
		Usage:     "let stock ssh, scp, sftp, rsync and editors reach a system by its name",
		ArgsUsage: "SYSTEM",
		Description: `Asks for the secret of the session, unless it was given, and prints what belongs
into the configuration of OpenSSH. With --write it is written to a file of its
own, which one line in ~/.ssh/config includes for good. Good until the session
ends; run it again for the next one.

Examples:
   support ssh-config array-7 --write
   scp -r array-7:/var/log/app .
   support ssh-config array-7 > c && rsync -e 'ssh -F c' array-7:/var/log/ logs/`,
		Flags: accessFlags(
			&cli.BoolFlag{Name: "write", Usage: "write it below ~/.ssh/latchstring.d, or below --root"},
		),
		Action: sshConfig,
	}
}

type sshConfigJSON struct {
	Host       string    `json:"host"`
	HostKey    string    `json:"host_key"`
	KnownHosts string    `json:"known_hosts"`
	Config     string    `json:"config,omitempty"` // file, with --write
	Stanza     string    `json:"stanza"`
	Session    string    `json:"session"`
	Expires    time.Time `json:"expires"`
}

func sshConfig(c *cli.Context) error {
	w, err := onlyWay(c)
	if err != nil {
		return err
	}
	defer w.close()
	o, err := w.options(c, true)
	if err != nil {
		return err
	}
	e, err := connect.Enrol(c.Context, o)
	if err != nil {
		return err
	}
	if err := w.remember(c); err != nil {
		return err
	}
	dir, include, err := sshDir(c)
	if err != nil {
		return err
	}
	s, err := w.stanza(c, dir, e)
	if err != nil {
		return err
	}
	out := sshConfigJSON{Host: w.system.Name, HostKey: e.HostKey, KnownHosts: s.knownHosts, Stanza: s.String(), Session: e.Session, Expires: e.Expires}
	if !c.Bool("write") {
		return cmdline.Print(c, out, func(w io.Writer) error { _, err := io.WriteString(w, out.Stanza); return err })
	}
	out.Config = filepath.Join(dir, w.system.Name+".conf")
	if err := durable.WriteFile(out.Config, []byte(out.Stanza)); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return cmdline.Print(c, out, func(io.Writer) error {
		fmt.Fprintf(c.App.ErrWriter, "support: wrote %s; good until %s, unless the customer ends the session before\n", out.Config, date(e.Expires))
		if !included(include.file, include.line) {
			fmt.Fprintf(c.App.ErrWriter, "support: add this line at the top of %s, once:\n", include.file)
			fmt.Fprintln(c.App.Writer, include.line)
			return nil
		}
		fmt.Fprintf(c.App.ErrWriter, "support: ready: ssh %s\n", w.system.Name)
		return nil
	})
}

// includeLine is what makes ssh read the files that are written.
type includeLine struct{ file, line string }

// sshDir is where stanzas and known hosts are.
func sshDir(c *cli.Context) (string, includeLine, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return "", includeLine{}, err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", includeLine{}, fmt.Errorf("find the home directory: %w", err)
	}
	dir := filepath.Join(home, ".ssh", "latchstring.d")
	if root.Dir != "" {
		dir = root.Var("ssh")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", includeLine{}, fmt.Errorf("find directory: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", includeLine{}, fmt.Errorf("make directory: %w", err)
	}
	line := "Include " + word(filepath.Join(dir, "*.conf"))
	if root.Dir == "" {
		line = "Include latchstring.d/*.conf"
	}
	return dir, includeLine{filepath.Join(home, ".ssh", "config"), line}, nil
}

func included(file, line string) bool {
	b, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	for l := range strings.Lines(string(b)) {
		if strings.TrimSpace(l) == line {
			return true
		}
	}
	return false
}

// stanza is one Host of OpenSSH's configuration.
type stanza struct {
	host, alias, knownHosts, key, cert, pipe string
}

// stanza writes the files that the stanza names.
func (w *way) stanza(c *cli.Context, dir string, e *connect.Enrolment) (*stanza, error) {
	// The alias is the id: a relay that gives another system this name does
	// not get its host key.
	s := &stanza{host: w.system.Name, alias: w.system.ID, knownHosts: filepath.Join(dir, w.system.ID+".known_hosts"), key: w.cfg.KeyFile, cert: w.certFile}
	if err := durable.WriteFile(s.knownHosts, []byte(s.alias+" "+e.HostKey+"\n")); err != nil {
		return nil, fmt.Errorf("write known hosts: %w", err)
	}
	var err error
	if s.key == "" { // in the agent: ssh finds it by the public key
		s.key = filepath.Join(dir, w.system.ID+".pub")
		err = durable.WriteFileMode(s.key, ssh.MarshalAuthorizedKey(w.key.PublicKey()), 0o644)
	}
	if err == nil && s.cert == "" {
		s.cert = filepath.Join(dir, w.system.ID+"-cert.pub")
		err = durable.WriteFileMode(s.cert, ssh.MarshalAuthorizedKey(w.cert), 0o644)
	}
	if err == nil {
		s.cert, err = filepath.Abs(s.cert)
	}
	if err != nil {
		return nil, fmt.Errorf("write key: %w", err)
	}
	s.pipe, err = pipeLine(c, w.system.ID)
	return s, err
}

// pipeLine is the command that carries the connection, as a shell reads it.
func pipeLine(c *cli.Context, system string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	args := []string{self, "pipe", system}
	root, err := cmdline.Root(c)
	if err != nil {
		return "", err
	}
	flags := map[string]string{"root": root.Dir}
	for _, f := range []string{"cert", "passphrase-file"} {
		flags[f] = c.String(f)
	}
	for _, f := range []string{"root", "cert", "passphrase-file"} {
		if flags[f] == "" {
			continue
		}
		path, err := filepath.Abs(flags[f])
		if err != nil {
			return "", fmt.Errorf("find %s: %w", flags[f], err)
		}
		args = append(args, "--"+f, path)
	}
	if text := c.String("case"); text != "" {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
			return "", errors.New("--case: a case is one line of text")
		}
		args = append(args, "--case", text)
	}
	for i, a := range args {
		args[i] = shellWord(a)
	}
	return strings.ReplaceAll(strings.Join(args, " "), "%", "%%"), nil
}

func (s *stanza) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Host %s\n", s.host)
	for _, l := range [][2]string{
		{"HostName", s.alias}, {"HostKeyAlias", s.alias}, {"User", connect.User},
		{"UserKnownHostsFile", word(s.knownHosts)}, {"GlobalKnownHostsFile", "none"}, {"StrictHostKeyChecking", "yes"}, {"UpdateHostKeys", "no"},
		{"IdentitiesOnly", "yes"}, {"IdentityFile", word(s.key)}, {"CertificateFile", word(s.cert)}, {"PreferredAuthentications", "publickey"},
		{"ForwardAgent", "no"}, {"ForwardX11", "no"}, {"ProxyCommand", s.pipe},
	} {
		fmt.Fprintf(&b, "    %s %s\n", l[0], l[1])
	}
	return b.String()
}

// word quotes an argument for OpenSSH's configuration.
func word(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if strings.ContainsAny(s, " \t#") {
		return `"` + s + `"`
	}
	return s
}

// shellWord makes one word for a shell of it.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@+,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
