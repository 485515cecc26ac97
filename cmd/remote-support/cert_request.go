package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/latchstring/latchstring/cmd/internal/cmdline"
	"github.com/latchstring/latchstring/core/agent"
	"github.com/latchstring/latchstring/core/control"
	"github.com/latchstring/latchstring/core/web/cert"
)

// madeRequest is what is shown of a request that was made.
type madeRequest struct {
	control.CertificateRequest
	File    string `json:"file,omitempty"`
	KeyFile string `json:"key_file,omitempty"`
}

func requestCert(c *cli.Context) error {
	dir := c.String("out")
	if dir == "" && c.Bool("with-key") {
		return cmdline.Usagef("--with-key needs --out, the directory for the files")
	}
	out := madeRequest{}
	if dir != "" { // before anything is made
		for _, name := range []string{cert.RequestFile, cert.KeyFile} {
			if err := free(filepath.Join(dir, name)); err != nil && (name == cert.RequestFile || c.Bool("with-key")) {
				return err
			}
		}
	}
	return withCerts(c, func(ctx context.Context, a *agent.Agent) error {
		var err error
		if out.CertificateRequest, err = a.RequestCertificate(ctx, control.Self(), subjectOf(c)); err != nil {
			return err
		}
		if dir != "" {
			out.File = filepath.Join(dir, cert.RequestFile)
			if err := writeNew(out.File, []byte(out.PEM), 0o644); err != nil {
				return err
			}
		}
		if c.Bool("with-key") {
			out.KeyFile = filepath.Join(dir, cert.KeyFile)
			key, err := a.CertificateKey(ctx, control.Self())
			defer clear(key)
			if err == nil {
				err = writeNew(out.KeyFile, key, 0o600)
			}
			if err != nil {
				return err
			}
		}
		return cmdline.Print(c, out, func(w io.Writer) error {
			const next = "the private key stays here until the certificate comes; then: remote-support cert upload FILE"
			if out.File == "" {
				fmt.Fprint(w, out.PEM)
				fmt.Fprintln(c.App.ErrWriter, next)
				return nil
			}
			fmt.Fprintln(w, "request:", out.File)
			if out.KeyFile != "" {
				fmt.Fprintln(w, "private key:", out.KeyFile)
			}
			_, err := fmt.Fprintln(w, next)
			return err
		})
	})
}

// free reports that something is in the way of a new file.
func free(path string) error {
	if info, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("--out: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("--out: %s is no directory", filepath.Dir(path))
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already; move it away first", path)
	}
	return nil
}

func writeNew(path string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
