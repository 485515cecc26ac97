package setup

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/api"
)

// The private keys that Init hands out.
const (
	BundleKeyName = "bundle-key.txt" // age identity: opens bundles
	SupportCAName = "support_ca"     // OpenSSH key: vouches for engineers
)

// Options say what Init makes.
type Options struct {
	Name    string   // of the vendor
	Address string   // host[:port] under which systems reach the relay
	Listen  string   // default: the port of Address, on all interfaces
	Names   []string // further names of the own certificate

	CertFile, KeyFile, CAFile string // the operator's own, all or none

	Recipient string // an existing age recipient, instead of a new key
}

// Init sets a relay up below root. What a former Init that was cut short has
// made is kept; a finished one is an error.
func Init(root paths.Root, o Options) (Config, error) {
	p := At(root)
	if _, err := os.Stat(p.Config); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fmt.Errorf("this relay is set up already (%s exists); nothing was changed", p.Config)
		}
		return Config{}, err
	}
	cfg, err := o.config()
	if err != nil {
		return Config{}, err
	}
	if err := root.Make(); err != nil {
		return Config{}, err
	}
	for _, d := range []string{p.State, p.Intake, p.Blobs, p.HandOut} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return Config{}, fmt.Errorf("set relay up: %w", err)
		}
	}
	if cfg.CertFile == "" {
		if err := makeCA(p.State, cfg.Name); err != nil {
			return Config{}, err
		}
	}
	if _, err := newCertificates(cfg, p.State); err != nil {
		return Config{}, err
	}
	if err := ensureKey(filepath.Join(p.State, "receipt_key"), "latchstring receipts"); err != nil {
		return Config{}, err
	}
	if o.Recipient != "" {
		cfg.Recipients = []string{o.Recipient}
	} else if cfg.Recipients, err = bundleKey(filepath.Join(p.HandOut, BundleKeyName)); err != nil {
		return Config{}, err
	}
	ca := filepath.Join(p.HandOut, SupportCAName)
	if err := ensureKey(ca, "latchstring support CA"); err != nil {
		return Config{}, err
	}
	line, err := os.ReadFile(ca + ".pub")
	if err != nil {
		return Config{}, fmt.Errorf("set relay up: %w", err)
	}
	key, err := identity.ParseKey(string(line))
	if err != nil {
		return Config{}, err
	}
	cfg.SupportCA = identity.FormatKey(key)
	if err := cfg.check(); err != nil {
		return Config{}, err
	}
	return cfg, cfg.write(p.Config) // last: where it is, everything is
}

func (o Options) config() (Config, error) {
	cfg := Config{Version: 1, Name: o.Name, Address: api.WithPort(o.Address), Listen: o.Listen, Names: o.Names, Limits: DefaultLimits,
		CertFile: o.CertFile, KeyFile: o.KeyFile, CAFile: o.CAFile}
	if cfg.Name == "" {
		cfg.Name = "Support"
	}
	if o.Address == "" {
		return Config{}, errors.New("no address: say under which name systems reach this relay")
	}
	if err := api.CheckAddress(cfg.Address); err != nil {
		return Config{}, err
	}
	if cfg.Listen == "" {
		cfg.Listen = cfg.Address[strings.LastIndexByte(cfg.Address, ':'):]
	}
	for _, f := range []*string{&cfg.CertFile, &cfg.KeyFile, &cfg.CAFile} {
		if *f == "" {
			continue
		}
		abs, err := filepath.Abs(*f)
		if err != nil {
			return Config{}, fmt.Errorf("set relay up: %w", err)
		}
		*f = abs
	}
	if o.Recipient != "" {
		if _, err := age.ParseRecipients(strings.NewReader(o.Recipient)); err != nil {
			return Config{}, fmt.Errorf("recipient: %w", err)
		}
	}
	trial := cfg
	trial.Recipients = []string{"-"}
	return cfg, trial.check()
}

func ensureKey(path, comment string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	_, err := identity.MakeKey(path, comment)
	return err
}

// bundleKey makes the age key and returns its recipient.
func bundleKey(path string) ([]string, error) {
	if b, err := os.ReadFile(path); err == nil {
		ids, err := age.ParseIdentities(strings.NewReader(string(b)))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		if id, ok := ids[0].(*age.X25519Identity); ok {
			return []string{id.Recipient().String()}, nil
		}
		return nil, fmt.Errorf("read %s: not an X25519 identity", path)
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("make bundle key: %w", err)
	}
	text := fmt.Sprintf("# created: %s\n# public key: %s\n%s\n", time.Now().UTC().Format(time.RFC3339), id.Recipient(), id)
	return []string{id.Recipient().String()}, durable.WriteFile(path, []byte(text))
}

// Relay is a relay that was set up.
type Relay struct {
	Config     Config
	Places     Places
	Certs      *Certificates
	ReceiptKey ssh.Signer
}

// Load reads what Init made.
func Load(root paths.Root) (*Relay, error) {
	p := At(root)
	cfg, err := ReadConfig(p.Config)
	if err != nil {
		return nil, err
	}
	r := &Relay{Config: cfg, Places: p}
	if r.Certs, err = newCertificates(cfg, p.State); err != nil {
		return nil, err
	}
	if r.ReceiptKey, err = identity.LoadKey(filepath.Join(p.State, "receipt_key")); err != nil {
		return nil, err
	}
	return r, r.Vendor("-").Check()
}

// Pin names the relay's CA.
func (r *Relay) Pin() api.Pin { return api.PinOf(r.Certs.CA()) }

// Vendor is the record that the system of that name pins.
func (r *Relay) Vendor(system string) identity.Vendor {
	return identity.Vendor{
		Version: 1, Name: r.Config.Name, RSS: r.Config.Address,
		CACert:     string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certs.CA().Raw})),
		Recipients: r.Config.Recipients, ReceiptKey: identity.FormatKey(r.ReceiptKey.PublicKey()), SupportCA: r.Config.SupportCA,
		System: system, EnrolledAt: time.Now().UTC().Truncate(time.Second),
	}
}

// HandOut lists the private keys that are still on this machine.
func (r *Relay) HandOut() []string {
	var left []string
	for _, name := range []string{BundleKeyName, SupportCAName} {
		path := filepath.Join(r.Places.HandOut, name)
		if _, err := os.Stat(path); err == nil {
			left = append(left, path)
		}
	}
	return left
}
