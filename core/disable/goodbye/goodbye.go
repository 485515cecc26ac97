package goodbye

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/latchstring/latchstring/core/durable"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/route/inspectors"
)

// Told is what is remembered of having told a relay.
type Told struct {
	Version   int       `json:"v"` // of this format: 1
	RSS       string    `json:"rss"`
	At        time.Time `json:"at"`
	Statement string    `json:"statement"`         // SHA-256 of what was told
	Unknown   bool      `json:"unknown,omitempty"` // the relay knows no such system, so there is nothing to take away
}

func toldPath(root paths.Root) string { return root.Var("disabled.told") }

// Last returns what was told last.
func Last(root paths.Root) (Told, bool) {
	var t Told
	b, err := os.ReadFile(toldPath(root))
	if err != nil || json.Unmarshal(b, &t) != nil || t.Version != 1 {
		return Told{}, false
	}
	return t, true
}

// Pending reports whether the relay of v is still to be told. It is false on a
// system that is not sealed.
func Pending(root paths.Root, v identity.Vendor) bool {
	if !seal.Check(root).Sealed {
		return false
	}
	t, ok := Last(root)
	if !ok || t.RSS != v.RSS {
		return true
	}
	text, err := os.ReadFile(seal.ProofOf(root).Statement)
	return err == nil && sum(text) != t.Statement
}

// Tell tells the relay of v, if that is still to be done. It waits for the
// relay no longer than ctx lasts.
func Tell(ctx context.Context, root paths.Root, system *identity.System, v identity.Vendor, dial client.DialFunc) (told bool, err error) {
	if !Pending(root, v) {
		return false, nil
	}
	req, err := request(root, system)
	if err != nil {
		return false, fmt.Errorf("tell the relay that the system is disabled for good: %w", err)
	}
	c, err := client.ForSystem(system, v, dial)
	if err != nil {
		return false, fmt.Errorf("tell the relay that the system is disabled for good: %w", err)
	}
	if c, err = inspectors.Client(root, c); err != nil {
		return false, fmt.Errorf("tell the relay that the system is disabled for good: %w", err)
	}
	defer c.Close()
	var resp api.SealResponse
	err = c.JSON(ctx, "POST", api.PathSeal, nil, false, req, &resp)
	var refused *api.Error
	unknown := errors.As(err, &refused) && refused.Code == api.CodeNotFound
	if err != nil && !unknown {
		return false, fmt.Errorf("tell the relay that the system is disabled for good: %w", err)
	}
	t := Told{Version: 1, RSS: v.RSS, At: time.Now().UTC().Truncate(time.Second), Statement: sum([]byte(req.Statement)), Unknown: unknown}
	b, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return true, err
	}
	if err := durable.WriteFile(toldPath(root), append(b, '\n')); err != nil {
		return true, fmt.Errorf("the relay was told, and that could not be written down, so it is told again later: %w", err)
	}
	return true, nil
}

// request reads the proof; one that is not there, or of another key, is made
// anew.
func request(root paths.Root, system *identity.System) (api.SealRequest, error) {
	read := func() (api.SealRequest, error) {
		p := seal.ProofOf(root)
		text, err := os.ReadFile(p.Statement)
		if err != nil {
			return api.SealRequest{}, err
		}
		sig, err := os.ReadFile(p.Signature)
		return api.SealRequest{Statement: string(text), Signature: string(sig)}, err
	}
	req, err := read()
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := seal.Prove(root, system); err != nil {
			return req, err
		}
		req, err = read()
	}
	return req, err
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
