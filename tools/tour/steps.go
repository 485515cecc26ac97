package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

func (t *tour) array(ctx context.Context) error {
	t.heading("A storage array (a fake InfiniBox)")
	addr, err := freePort()
	if err != nil {
		return err
	}
	d, err := t.start("fakebox", "-listen", addr)
	if err != nil {
		return err
	}
	t.arrayURL = "https://" + addr
	return t.ready(ctx, d, "tcp", addr)
}

func (t *tour) relay(ctx context.Context) error {
	t.heading("The vendor sets up a relay, makes an engineer known, and gives out a token for one system")
	addr, err := freePort()
	if err != nil {
		return err
	}
	t.rss = addr
	if _, err := t.quiet(ctx, "rss", "init", "--root", "vendor", "--name", "Example Support", "--address", addr, "--listen", addr); err != nil {
		return err
	}
	// The private keys do not stay on the relay.
	if err := os.Rename(t.path("vendor", "var", "rss", "move-to-engineers"), t.path("engineer-keys")); err != nil {
		return err
	}
	d, err := t.start("rss", "serve", "--root", "vendor")
	if err != nil {
		return err
	}
	if err := t.ready(ctx, d, "unix", t.path("vendor", "run", "rss.sock")); err != nil {
		return err
	}
	if err := t.makeEngineer(ctx); err != nil {
		return err
	}
	token, err := t.quiet(ctx, "rss", "token", "new", "--root", "vendor", "--system", "array-7")
	if err != nil {
		return err
	}
	return os.WriteFile(t.path("token"), []byte(token), 0o600)
}

func (t *tour) enroll(ctx context.Context) error {
	t.heading("The customer enrols this machine: the token checks the relay, the relay checks the token")
	_, err := t.run(ctx, "remote-support", "enroll", "--root", "sa", "--token-file", "token")
	return err
}

func (t *tour) agent(ctx context.Context) error {
	t.heading("The agent runs. Remote access is off; no port is open but that of its web pages")
	if err := t.trustArray(ctx); err != nil {
		return err
	}
	pages, err := freePort()
	if err != nil {
		return err
	}
	t.pages = "https://" + pages + "/"
	d, err := t.start("remote-support", "serve", "--root", "sa", "--web", pages)
	if err != nil {
		return err
	}
	if err := t.ready(ctx, d, "unix", t.path("sa", "run", "control.sock")); err != nil {
		return err
	}
	if _, err := t.run(ctx, "remote-support", "status", "--root", "sa"); err != nil {
		return err
	}
	_, err = t.run(ctx, "remote-support", "plugin", "list", "--root", "sa")
	return err
}

func (t *tour) plan(ctx context.Context) error {
	t.heading("An application of this machine has left a password in its configuration and in its log")
	if err := t.writeDemo(); err != nil {
		return err
	}
	if _, err := t.quiet(ctx, "send-bundle", "sanitize", "--root", "sa", "demo/app.conf", "-o", "sanitized.conf"); err != nil {
		return err
	}
	if err := t.show(t.path("sanitized.conf")); err != nil {
		return err
	}
	out, err := t.quiet(ctx, "send-bundle", "--root", "sa", "--include", "demo", "--plan")
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	t.say("  … %s", lines[len(lines)-1])
	return nil
}

func (t *tour) send(ctx context.Context) error {
	t.heading("A bundle of this machine's real configuration, logs and facts: collected, sanitized, checked, signed, sealed, sent")
	out, err := t.run(ctx, "send-bundle", "--root", "sa", "--include", "demo")
	if err != nil {
		return err
	}
	for word := range strings.FieldsSeq(out) {
		if strings.HasPrefix(word, "bdl-") {
			t.bundle = word
		}
	}
	if t.bundle == "" {
		return fmt.Errorf("send-bundle printed no receipt")
	}
	return nil
}

// makeEngineer makes an SSH key, as the engineer has one already, and has the
// operator add it.
func (t *tour) makeEngineer(ctx context.Context) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "ada")
	if err != nil {
		return err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	if err := os.WriteFile(t.path("ada"), pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(t.path("ada.pub"), ssh.MarshalAuthorizedKey(key), 0o600); err != nil {
		return err
	}
	_, err = t.quiet(ctx, "rss", "engineers", "add", "--root", "vendor", "ada", "--key-file", "ada.pub", "--role", "bundles", "--role", "access")
	return err
}

func (t *tour) open(ctx context.Context) error {
	t.heading("The engineer fetches the bundle, checks it, and opens it with the key that the relay never had")
	pin := ""
	token, err := os.ReadFile(t.path("token"))
	if err != nil {
		return err
	}
	for word := range strings.FieldsSeq(string(token)) {
		if strings.HasPrefix(word, "SHA256:") {
			pin = word
		}
	}
	if _, err := t.run(ctx, "support", "login", "--root", "engineer", "--rss", t.rss, "--pin", pin, "--key", "ada"); err != nil {
		return err
	}
	if _, err := t.run(ctx, "support", "bundle", "list", "--root", "engineer"); err != nil {
		return err
	}
	if _, err := t.quiet(ctx, "support", "bundle", "open", "--root", "engineer", t.bundle, "--identity", "engineer-keys/bundle-key.txt", "-o", "opened"); err != nil {
		return err
	}
	log, err := t.find("opened", "app.log")
	if err != nil {
		return err
	}
	t.say("In the log, the password of the configuration is gone too, wherever it stood:")
	return t.show(log)
}

// find looks for a file by its name below a folder of the scratch directory.
func (t *tour) find(folder, name string) (string, error) {
	found := ""
	err := filepath.WalkDir(t.path(folder), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() == name {
			found = path
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if found == "" {
		return "", fmt.Errorf("%s is not in %s", name, folder)
	}
	return found, nil
}

func (t *tour) proof(ctx context.Context) error {
	t.heading("Everything was recorded, and the record holds")
	for _, kind := range []string{"bundle.", "session.", "access."} {
		if _, err := t.run(ctx, "remote-support", "audit", "show", "--root", "sa", "--type", kind); err != nil {
			return err
		}
	}
	_, err := t.run(ctx, "remote-support", "audit", "verify", "--root", "sa")
	return err
}

// where says where to look.
func (t *tour) where(once bool) {
	t.heading("Where to look")
	t.say("the opened bundle         %s", t.path("opened"))
	t.say("the fake array            %s/api/rest/system  (admin / 123456, self-signed)", t.arrayURL)
	t.say("the web pages             %s  (admin / 123456, self-signed)", t.pages)
	t.say("the relay                 https://%s/healthz, log in %s", t.rss, t.path("rss.log"))
	t.say("the customer's side       %s", t.path("sa"))
	t.say("try                       %s status --root %s", filepath.Join(t.bin, "remote-support"), t.path("sa"))
	t.say("                          %s policy explain bundle.send --root %s", filepath.Join(t.bin, "remote-support"), t.path("sa"))
	if !once {
		t.say("Ctrl-C ends everything and removes %s", t.dir)
	}
}
