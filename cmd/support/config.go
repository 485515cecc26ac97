package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/identity"
)

// config is what a login leaves behind. It holds no secret.
type config struct {
	Version int             `json:"v"`
	Name    string          `json:"name"` // of the engineer, as the relay knows him
	RSS     string          `json:"rss"`
	Pin     string          `json:"pin"`
	KeyFile string          `json:"key_file,omitempty"`
	Agent   string          `json:"agent_key,omitempty"` // fingerprint of a key in the SSH agent
	Vendor  identity.Vendor `json:"vendor"`

	Proxy             string `json:"proxy,omitempty"` // URL, without a password
	ProxyPasswordFile string `json:"proxy_password_file,omitempty"`
}

// configDir is the engineer's own directory, or the one below --root.
func configDir(c *cli.Context) (string, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return "", err
	}
	if root.Dir != "" {
		return root.Etc(), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the configuration directory: %w", err)
	}
	return filepath.Join(dir, "latchstring"), nil
}

const configName = "support.json"

var errNotLoggedIn = errors.New("not logged in to a relay; run: support login --rss HOST --pin SHA256:PIN")

func readConfig(c *cli.Context) (config, error) {
	dir, err := configDir(c)
	if err != nil {
		return config{}, err
	}
	path := filepath.Join(dir, configName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, errNotLoggedIn
	}
	if err != nil {
		return config{}, fmt.Errorf("read configuration: %w", err)
	}
	var cfg config
	if err := json.Unmarshal(b, &cfg); err != nil {
		return config{}, fmt.Errorf("read configuration %s: %w", path, err)
	}
	if cfg.Version != 1 {
		return config{}, fmt.Errorf("read configuration %s: version %d; this program reads version 1", path, cfg.Version)
	}
	return cfg, nil
}

func (cfg config) write(c *cli.Context) error {
	dir, err := configDir(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	cfg.Version = 1
	b, err := json.MarshalIndent(cfg, "", "  ")
	if err != nil {
		return fmt.Errorf("encode configuration: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, configName), append(b, '\n'))
}
