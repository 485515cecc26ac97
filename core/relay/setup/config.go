package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/api"
)

// Config is the relay's configuration file, DIR/etc/rss.json.
type Config struct {
	Version int    `json:"v"`
	Name    string `json:"name"`    // of the vendor, for people
	Address string `json:"address"` // host:port under which systems reach the relay
	Listen  string `json:"listen"`  // what it listens on

	// Certificate files of the operator; all empty with the relay's own CA.
	// They are read again when they change.
	CertFile string `json:"cert_file,omitempty"` // leaf first, then its chain
	KeyFile  string `json:"key_file,omitempty"`
	CAFile   string `json:"ca_file,omitempty"` // what systems pin

	Names  []string `json:"names,omitempty"` // further host names and addresses of the own certificate
	Limits Limits   `json:"limits"`
	Remote Remote   `json:"remote,omitzero"` // limits of remote access; what is zero has its default

	NATS            string `json:"nats,omitempty"`             // URL of an existing cluster; empty: embedded
	NATSCredentials string `json:"nats_credentials,omitempty"` // file
	NodeAddress     string `json:"node_address,omitempty"`     // host:port under which other nodes reach this one; empty: found out
	Blobs           string `json:"blobs,omitempty"`            // directory of bundles and recordings, or s3://...; empty: below the state directory

	Recipients []string `json:"recipients"` // age recipients for bundles
	SupportCA  string   `json:"support_ca"` // authorized_keys line
}

// Limits bound what one system can do to the relay.
type Limits struct {
	MaxBundle     int64 `json:"max_bundle"`      // bytes of one bundle
	MaxStored     int64 `json:"max_stored"`      // bytes of all bundles of one system
	MaxOpen       int   `json:"max_open"`        // unfinished uploads of one system
	KeepFree      int64 `json:"keep_free"`       // bytes that stay free on the disk
	UnfinishedFor int   `json:"unfinished_days"` // days until an unfinished upload is removed
}

// DefaultLimits are what a new configuration gets.
var DefaultLimits = Limits{MaxBundle: 20 << 30, MaxStored: 200 << 30, MaxOpen: 4, KeepFree: 512 << 20, UnfinishedFor: 7}

// Places are the relay's files.
type Places struct {
	Config  string // the configuration
	State   string // everything below, and keys
	Store   string // records
	Intake  string // unfinished uploads
	Blobs   string // bundles
	HandOut string // private keys to be moved away
	Socket  string // local administration
}

// At returns the places below root.
func At(root paths.Root) Places {
	s := root.Var("rss")
	return Places{Config: root.Etc("rss.json"), State: s, Store: filepath.Join(s, "store"), Intake: filepath.Join(s, "intake"),
		Blobs: filepath.Join(s, "blobs"), HandOut: filepath.Join(s, "move-to-engineers"), Socket: root.Run("rss.sock")}
}

// ErrNotInitialized is returned by Load before Init.
var ErrNotInitialized = errors.New("this relay is not set up; run: rss init --address HOST:PORT")

// ReadConfig reads and checks the configuration.
func ReadConfig(path string) (Config, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, ErrNotInitialized
	}
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	var c Config
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("read configuration %s: %w", path, err)
	}
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

func (c Config) check() error {
	given := 0
	for _, f := range []string{c.CertFile, c.KeyFile, c.CAFile} {
		if f != "" {
			given++
		}
	}
	switch {
	case c.Version != 1:
		return fmt.Errorf("version %d; this program reads version 1", c.Version)
	case given != 0 && given != 3:
		return errors.New("cert_file, key_file and ca_file belong together")
	case len(c.Recipients) == 0:
		return errors.New("no recipients")
	case !c.Remote.valid():
		return errors.New("remote: no limit may be below zero")
	case c.Limits.MaxBundle <= 0 || c.Limits.MaxStored <= 0 || c.Limits.MaxOpen <= 0 || c.Limits.KeepFree < 0 || c.Limits.UnfinishedFor <= 0:
		return errors.New("each limit must be above zero")
	}
	if c.NodeAddress != "" {
		if err := api.CheckAddress(c.NodeAddress); err != nil {
			return fmt.Errorf("node_address: %w", err)
		}
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return api.CheckAddress(c.Address)
}

func (c Config) write(path string) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encode configuration: %w", err)
	}
	return durable.WriteFileMode(path, append(b, '\n'), 0o644)
}
