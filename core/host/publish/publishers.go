package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/host/trust"
	"github.com/latchstring/latchstring/core/paths"
)

// Publisher is somebody whose plugins may run here.
type Publisher struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
}

// Trusted lists the publishers of a machine.
func Trusted(root paths.Root) ([]Publisher, error) {
	_, p, err := readPublishers(root)
	if err != nil {
		return nil, err
	}
	var out []Publisher
	for _, one := range p.List() {
		out = append(out, Publisher(one))
	}
	return out, nil
}

func readPublishers(root paths.Root) ([]byte, *trust.Publishers, error) {
	path := root.Etc(catalog.PublishersFile)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read the trusted publishers: %w", err)
	}
	p, err := trust.ParsePublishers(path, data)
	if err != nil {
		return nil, nil, fmt.Errorf("read the trusted publishers: %w", err)
	}
	return data, p, nil
}

// Trust lets key speak for the publisher. The other lines of the file stay as
// they are.
func Trust(root paths.Root, name string, key ssh.PublicKey) error {
	data, p, err := readPublishers(root)
	if err != nil {
		return err
	}
	fingerprint := ssh.FingerprintSHA256(key)
	for _, one := range p.List() {
		if one.Fingerprint == fingerprint && one.Name == name {
			return fmt.Errorf("trust a publisher: the key %s of %s is trusted already", fingerprint, name)
		}
	}
	line := fmt.Sprintf("%s namespaces=%q %s", name, trust.Namespace, ssh.MarshalAuthorizedKey(key))
	if _, err := trust.ParsePublishers("the new line", []byte(line)); err != nil {
		return fmt.Errorf("trust a publisher: %w", err)
	}
	if len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
		data = append(data, '\n')
	}
	path := root.Etc(catalog.PublishersFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("trust a publisher: %w", err)
	}
	return durable.WriteFileMode(path, append(data, line...), 0o644)
}

// Distrust takes a publisher, or one key by its fingerprint, off the list, and
// returns what it took. Comments and the other lines stay as they are.
func Distrust(root paths.Root, who string) ([]Publisher, error) {
	data, _, err := readPublishers(root)
	if err != nil {
		return nil, err
	}
	var gone []Publisher
	var left strings.Builder
	for line := range strings.Lines(string(data)) {
		one, err := trust.ParsePublishers("", []byte(line))
		if err != nil {
			return nil, err
		}
		hit := slices.ContainsFunc(one.List(), func(p trust.Publisher) bool { return p.Name == who || p.Fingerprint == who })
		if !hit {
			left.WriteString(line)
			continue
		}
		for _, p := range one.List() { // one line may have several names
			gone = append(gone, Publisher(p))
		}
	}
	if len(gone) == 0 {
		return nil, fmt.Errorf("%s is no publisher that is trusted here, and no fingerprint of one; see: remote-support plugin trust", who)
	}
	return gone, durable.WriteFileMode(root.Etc(catalog.PublishersFile), []byte(left.String()), 0o644)
}
