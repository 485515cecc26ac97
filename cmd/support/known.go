package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/durable"
)

// knownName is the file with the systems that this engineer was in, by relay and
// name. What a name leads to is the relay's word; the id is made of the system's
// key and changes with it.
const knownName = "known_systems.json"

type knownSystems map[string]string // relay/name: id

func readKnown(c *cli.Context) (knownSystems, string, error) {
	dir, err := configDir(c)
	if err != nil {
		return nil, "", err
	}
	path := filepath.Join(dir, knownName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return knownSystems{}, path, nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("read known systems: %w", err)
	}
	known := knownSystems{}
	if err := json.Unmarshal(b, &known); err != nil {
		return nil, "", fmt.Errorf("read known systems %s: %w; if it is of no use any more, remove it", path, err)
	}
	return known, path, nil
}

func (w *way) knownAs() string { return w.cfg.RSS + "/" + w.system.Name }

// known compares the system with the one that had its name before.
func (w *way) known(c *cli.Context) error {
	known, _, err := readKnown(c)
	if err != nil {
		return err
	}
	before := known[w.knownAs()]
	if before == "" || before == w.system.ID {
		return nil
	}
	return w.newKey(c)(connect.KeyChange{
		Name: w.system.Name, What: "the key of the system itself, of which its id is made", Old: before, New: w.system.ID,
		Where: "`system` in remote-support status",
	})
}

// remember keeps the id of a system that has proved itself.
func (w *way) remember(c *cli.Context) error {
	known, path, err := readKnown(c)
	if err != nil || known[w.knownAs()] == w.system.ID {
		return err
	}
	known[w.knownAs()] = w.system.ID
	b, err := json.MarshalIndent(known, "", "  ")
	if err != nil {
		return fmt.Errorf("encode known systems: %w", err)
	}
	return durable.WriteFile(path, append(b, '\n'))
}

// newKey tells of a key that has changed, and goes on only with a yes.
func (w *way) newKey(c *cli.Context) func(connect.KeyChange) error {
	return func(change connect.KeyChange) error {
		rule := strings.Repeat("@", 70)
		fmt.Fprintf(c.App.ErrWriter, "%s\n%s\n%s\n", rule, change.Notice(), rule)
		if c.Bool("accept-new-key") {
			return nil
		}
		yes, err := cmdline.Confirm("Has the customer read the new one to you by voice, and is it the same?")
		if err == nil && yes {
			return nil
		}
		return &connect.NewKeyError{Change: change}
	}
}
