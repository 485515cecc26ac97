package relay

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/latchstring/latchstring/core/durable"
)

var nodePattern = regexp.MustCompile(`^rss-[a-z2-7]{8}$`)

// nodeName is the name of this node among those of a cluster. It stays the
// same, so that a node that was killed can take back what it said.
func nodeName(state string) (string, error) {
	path := filepath.Join(state, "node")
	b, err := os.ReadFile(path)
	if name := strings.TrimSpace(string(b)); err == nil && nodePattern.MatchString(name) {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the node's name: %w", err)
	}
	raw := make([]byte, 5)
	rand.Read(raw) // never fails
	name := "rss-" + strings.ToLower(base32.StdEncoding.EncodeToString(raw))
	if err := durable.WriteFileMode(path, []byte(name+"\n"), 0o644); err != nil {
		return "", fmt.Errorf("name this node: %w", err)
	}
	return name, nil
}
