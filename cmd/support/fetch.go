package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
)

// failedCheck is something that does not hold (exit code 4).
type failedCheck struct{ msg string }

func (e *failedCheck) Error() string { return e.msg }
func (e *failedCheck) ExitCode() int { return cmdline.ExitCheckFailed }

func failed(format string, args ...any) error { return &failedCheck{fmt.Sprintf(format, args...)} }

// cacheDir is where fetched bundles are kept, encrypted as they came.
func cacheDir(c *cli.Context) (string, error) {
	root, err := cmdline.Root(c)
	if err != nil {
		return "", err
	}
	dir := root.Var("bundles")
	if root.Dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find the cache directory: %w", err)
		}
		dir = filepath.Join(cache, "latchstring", "bundles")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make cache: %w", err)
	}
	return dir, nil
}

// fetch brings a bundle here and checks its receipt and its hash.
func fetch(c *cli.Context, id string) (path string, b api.Bundle, err error) {
	cl, cfg, err := relayClient(c)
	if err != nil {
		return "", b, err
	}
	defer cl.Close()
	list, err := cl.Bundles(c.Context, "")
	if err != nil {
		return "", b, err
	}
	for _, have := range list {
		if have.ID == id {
			b = have
		}
	}
	if b.ID == "" {
		return "", b, fmt.Errorf("relay %s has no bundle %s; see: support bundle list", cfg.RSS, id)
	}
	if err := checkReceipt(b, cfg.Vendor); err != nil {
		return "", b, err
	}
	dir, err := cacheDir(c)
	if err != nil {
		return "", b, err
	}
	path = filepath.Join(dir, b.ID)
	if sum, err := sumFile(path); err == nil && sum == b.SHA256 {
		return path, b, nil
	}
	return path, b, download(c.Context, cl, b, path)
}

func checkReceipt(b api.Bundle, v identity.Vendor) error {
	key, err := v.ReceiptPublicKey()
	if err != nil {
		return err
	}
	r, err := b.Receipt.Verify(key)
	if err == nil {
		err = r.Covers(b.System, b.SHA256, b.Size)
	}
	if err != nil {
		return failed("bundle %s: %v", b.ID, err)
	}
	return nil
}

// download goes on with what an earlier attempt brought.
func download(ctx context.Context, cl *client.Client, b api.Bundle, path string) error {
	part := path + ".part"
	for attempt := 0; ; attempt++ {
		err := more(ctx, cl, b, part)
		if err == nil {
			break
		}
		if !client.Temporary(err) || attempt == 5 {
			return fmt.Errorf("fetch bundle %s: %w", b.ID, err)
		}
		select {
		case <-time.After(time.Duration(attempt+1) * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	sum, err := sumFile(part)
	if err != nil {
		return fmt.Errorf("fetch bundle %s: %w", b.ID, err)
	}
	if sum != b.SHA256 {
		return errors.Join(failed("bundle %s: what the relay sent has the SHA-256 %s, the receipt says %s", b.ID, sum, b.SHA256), os.Remove(part))
	}
	return os.Rename(part, path)
}

func more(ctx context.Context, cl *client.Client, b api.Bundle, part string) error {
	f, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	switch at := fi.Size(); {
	case at == b.Size:
		return nil
	case at > b.Size:
		return os.Truncate(part, 0)
	default:
		_, err = cl.Content(ctx, b.ID, at, f)
		return err
	}
}

func sumFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
