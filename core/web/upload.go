package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/latchstring/latchstring/core/control"
)

// Bounds of an upload: a certificate with its chain and key is some kilobytes.
const (
	maxFile   = 256 << 10
	maxFields = 8

	// Browsers show the answer to a file that is too large only when they have
	// sent it; so much of it is thrown away for that.
	maxWrongFile = 32 << 20
)

var (
	errLarge  = fmt.Errorf("the file is larger than %d kB, which no certificate is", maxFile>>10)
	errNoFile = errors.New("no file was chosen")
)

// readUpload reads a form with a file. Nothing of it is written to disk, as
// http.Request.ParseMultipartForm would do: it holds a private key.
func readUpload(w http.ResponseWriter, r *http.Request) (u control.CertificateUpload, err error) {
	whole := r.Body
	r.Body = http.MaxBytesReader(w, whole, maxFile+16<<10)
	defer func() {
		if err != nil && errors.As(err, new(*http.MaxBytesError)) {
			err = errLarge
		}
		if err != nil { // see maxWrongFile
			io.Copy(io.Discard, whole) //nolint:errcheck // it is bounded, too
		}
	}()
	parts, err := r.MultipartReader()
	if err != nil {
		return u, fmt.Errorf("read the form: %w", err)
	}
	for range maxFields {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return u, fmt.Errorf("read the form: %w", err)
		}
		switch p.FormName() {
		case "file":
			buf := make([]byte, maxFile+1)
			n, err := io.ReadFull(p, buf)
			switch {
			case err == nil:
				clear(buf)
				return u, errLarge
			case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
				clear(buf)
				return u, fmt.Errorf("read the file: %w", err)
			case u.PEM != nil:
				clear(buf)
				return u, errors.New("choose one file; the key and the certificate are in one")
			}
			if u.PEM = buf[:n]; n == 0 {
				u.PEM = nil
			}
		case "any_name":
			v := make([]byte, 1)
			n, err := io.ReadFull(p, v)
			u.AnyName = err == nil && n == 1 && v[0] == '1'
		}
	}
	if u.PEM == nil {
		return u, errNoFile
	}
	return u, nil
}
