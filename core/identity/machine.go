package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"
)

// binding is what ties the key to the machine. It is stored beside the key.
type binding struct {
	Version     int       `json:"v"`
	Machine     string    `json:"machine"`     // see machineHash
	Fingerprint string    `json:"fingerprint"` // of the key that was made for it
	Created     time.Time `json:"created"`
}

var machineIDPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)

// unbound is the binding on a machine that has no machine id (yet). When one
// appears the machine counts as another: an image that was prepared without
// an id must not give its key to all machines made from it.
const unbound = "none"

// machineHash hashes the machine id with our own key, because the id itself
// is not to be shown around (machine-id(5)).
func machineHash(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return unbound, nil
	}
	if err != nil {
		return "", fmt.Errorf("read machine id: %w", err)
	}
	id := strings.TrimSpace(string(b))
	if id == "" || id == "uninitialized" {
		return unbound, nil
	}
	if !machineIDPattern.MatchString(id) {
		return "", fmt.Errorf("read machine id: %s does not hold 32 hexadecimal digits; see systemd-machine-id-setup(1)", path)
	}
	mac := hmac.New(sha256.New, []byte(id))
	mac.Write([]byte("latchstring identity v1"))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

func readBinding(path string) (binding, bool, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return binding{}, false, nil
	}
	if err != nil {
		return binding{}, false, fmt.Errorf("read machine binding: %w", err)
	}
	var v binding
	if err := json.Unmarshal(b, &v); err != nil {
		return binding{}, false, fmt.Errorf("read machine binding %s: %w", path, err)
	}
	if v.Version != 1 {
		return binding{}, false, fmt.Errorf("read machine binding %s: version %d; this program reads version 1", path, v.Version)
	}
	return v, true, nil
}
