package relay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	tus "github.com/tus/tusd/v2/pkg/handler"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/store"
)

// hashRate is the slowest disk that we wait for, in bytes a second, when a
// finished upload is read back.
const hashRate = 20 << 20

// answerTime is how long a client may take at least to get the answer.
const answerTime = 10 * time.Second

// complete runs when the last byte of an upload is in, before the client is
// told so, and under the upload's lock.
func (in *intake) complete(hook tus.HookEvent) (tus.HTTPResponse, error) {
	ctl, ok := hook.Context.Value(controllerKey{}).(*http.ResponseController)
	if ok {
		ctl.SetWriteDeadline(time.Now().Add(in.stall + time.Duration(hook.Upload.Size/hashRate)*time.Second))
	}
	b, err := in.acceptOnce(hook.Context, hook.Upload.ID)
	if ok { // it may have taken longer. An answer that comes too late breaks TLS: what follows it has the wrong number
		ctl.SetWriteDeadline(time.Now().Add(max(in.stall, answerTime)))
	}
	if err != nil {
		return tus.HTTPResponse{}, in.fail(err)
	}
	return tus.HTTPResponse{Header: tus.HTTPHeader{"Link": "<" + api.ReceiptPath(b.ID) + `>; rel="receipt"`}}, nil
}

// acceptOnce accepts a complete upload, unless that is being done already. The
// client may be gone: what has begun is finished nevertheless.
func (in *intake) acceptOnce(ctx context.Context, id string) (store.Bundle, error) {
	if _, busy := in.accepting.LoadOrStore(id, true); busy {
		return store.Bundle{}, api.Errorf(http.StatusServiceUnavailable, api.CodeUnavailable, "upload %s is being checked", id)
	}
	defer in.accepting.Delete(id)
	u, err := in.read(id)
	if err != nil {
		return store.Bundle{}, fmt.Errorf("read upload: %w", err)
	}
	return in.accept(context.WithoutCancel(ctx), u)
}

// fail logs what went wrong in here and makes tusd's error of it.
func (in *intake) fail(err error) error {
	if e := asError(noSpace(err)); e.Code == api.CodeInternal {
		in.srv.log.Error("upload", "error", err)
	}
	return tusError(err)
}

// accept makes a bundle of a complete upload. Each step can be repeated, so
// that the next start finishes what a crash interrupts: check the hash, move
// the bytes, write the record with its receipt, remove the description.
func (in *intake) accept(ctx context.Context, u upload) (store.Bundle, error) {
	id := u.ID
	if b, err := in.srv.reg.Bundle(ctx, id); err == nil {
		return b, in.remove(u)
	} else if !errors.Is(err, store.ErrNotFound) {
		return store.Bundle{}, unavailable(err)
	}
	f, err := in.open(ctx, u)
	if err != nil {
		return store.Bundle{}, err
	}
	sum, err := hash(f)
	f.Close()
	if err != nil {
		return store.Bundle{}, fmt.Errorf("read upload %s back: %w", id, err)
	}
	if want := u.MetaData[api.MetaSHA256]; sum != want {
		return store.Bundle{}, in.refuse(ctx, u, sum)
	}
	sys, err := in.srv.reg.System(ctx, u.MetaData[metaSystem])
	if err != nil {
		return store.Bundle{}, unavailable(err)
	}
	if err := in.srv.blobs.Adopt(ctx, id, u.path); err != nil {
		return store.Bundle{}, noSpace(err)
	}
	b := store.Bundle{ID: id, System: sys.ID, SystemName: sys.Name, Filename: u.MetaData[api.MetaFilename], Case: u.MetaData[api.MetaCase],
		Size: u.Size, SHA256: sum, Anchor: u.MetaData[api.MetaAnchor], Via: "upload"}
	if b, err = in.srv.store(ctx, b, audit.BundleReceived, "system:"+sys.ID); err != nil {
		return store.Bundle{}, err
	}
	return b, in.remove(u)
}

// open opens the bytes where they are: in the directory, or in the blob store
// when an earlier attempt got that far.
func (in *intake) open(ctx context.Context, u upload) (io.ReadCloser, error) {
	f, err := os.Open(u.path)
	if err == nil {
		return f, nil
	}
	blob, size, err2 := in.srv.blobs.Open(ctx, u.ID)
	if err2 != nil || size != u.Size {
		return nil, fmt.Errorf("open upload %s: %w", u.ID, err)
	}
	return blob, nil
}

// refuse deletes an upload whose bytes are not what was announced.
func (in *intake) refuse(ctx context.Context, u upload, sum string) error {
	want := u.MetaData[api.MetaSHA256]
	in.srv.metrics.uploadsRefused.Add(1)
	if err := in.srv.record(ctx, audit.BundleRefused, "system:"+u.MetaData[metaSystem], u.ID, map[string]string{"announced": want, "found": sum}); err != nil {
		return err
	}
	if err := in.remove(u); err != nil {
		return err
	}
	return api.Errorf(http.StatusUnprocessableEntity, api.CodeHashMismatch, "the upload was deleted: its SHA-256 is %s, and %s was announced", sum, want)
}

// store signs the receipt and writes the record.
func (s *Server) store(ctx context.Context, b store.Bundle, event audit.Type, by string) (store.Bundle, error) {
	b.ReceivedAt = s.now().UTC().Truncate(time.Second)
	var err error
	b.Receipt, err = api.SignReceipt(s.relay.ReceiptKey, api.Receipt{Bundle: b.ID, System: b.System, SHA256: b.SHA256, Size: b.Size,
		ReceivedAt: b.ReceivedAt, RSS: s.relay.Pin().String(), Anchor: b.Anchor})
	if err != nil {
		return store.Bundle{}, err
	}
	detail := map[string]string{"sha256": b.SHA256, "bytes": fmt.Sprint(b.Size), "system": b.System, "filename": b.Filename}
	if err := s.record(ctx, event, by, b.ID, detail); err != nil {
		return store.Bundle{}, err
	}
	if err := s.reg.AddBundle(ctx, b); err != nil {
		if errors.Is(err, store.ErrExists) { // our own write, whose answer got lost
			return s.reg.Bundle(ctx, b.ID)
		}
		return store.Bundle{}, unavailable(err)
	}
	s.metrics.bundles.Add(1)
	s.metrics.bytes.Add(float64(b.Size))
	return b, nil
}

// retry accepts an upload that is complete and was not accepted then, because
// the store did not answer: its client comes back and asks for the receipt.
func (in *intake) retry(ctx context.Context, sys store.System, id string) (store.Bundle, error) {
	done, err := in.mayTouch(ctx, sys, id)
	if err != nil {
		return store.Bundle{}, err
	}
	if done != nil {
		return *done, nil
	}
	if u, err := in.read(id); err != nil || u.Offset != u.Size {
		return store.Bundle{}, noBundle(id)
	}
	return in.acceptOnce(ctx, id)
}

// recover finishes uploads that were complete when the last run ended.
func (in *intake) recover(ctx context.Context) error {
	uploads, err := in.list()
	if err != nil {
		return err
	}
	for _, u := range uploads {
		missing := u.touched.IsZero() // moved to the blob store already
		if !missing && u.Offset != u.Size {
			continue
		}
		b, err := in.accept(ctx, u)
		var refused *api.Error
		switch {
		case err == nil:
			in.srv.log.Info("finished an upload of the last run", "bundle", b.ID)
		case errors.As(err, &refused) && refused.Code == api.CodeHashMismatch, missing:
			in.srv.log.Warn("upload of the last run is not usable", "id", u.ID, "error", err)
			if err := in.remove(u); err != nil {
				return err
			}
		default:
			return fmt.Errorf("finish upload %s of the last run: %w", u.ID, err)
		}
	}
	return nil
}

// importBundle takes a bundle that was carried by hand.
func (s *Server) importBundle(ctx context.Context, r io.Reader, filename, system, by string) (b store.Bundle, err error) {
	sys, err := s.reg.Active(ctx, system)
	if errors.Is(err, store.ErrNotFound) {
		return store.Bundle{}, api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no enrolled system named %.63q", system)
	}
	if err != nil {
		return store.Bundle{}, unavailable(err)
	}
	filename = clean(filepath.Base(filename), 200)
	tmp, err := os.CreateTemp(s.relay.Places.Intake, ".import-*")
	if err != nil {
		return store.Bundle{}, fmt.Errorf("import: %w", err)
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	h := sha256.New()
	limit := s.relay.Config.Limits.MaxBundle
	n, err := io.Copy(io.MultiWriter(tmp, h), io.LimitReader(r, limit+1))
	if err != nil {
		return store.Bundle{}, noSpace(fmt.Errorf("import: %w", err))
	}
	if n > limit {
		return store.Bundle{}, api.Errorf(http.StatusRequestEntityTooLarge, api.CodeTooLarge, "the file has more than %d bytes", limit)
	}
	if n == 0 {
		return store.Bundle{}, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, "the file is empty")
	}
	sum := hex.EncodeToString(h.Sum(nil))
	list, err := s.reg.Bundles(ctx)
	if err != nil {
		return store.Bundle{}, unavailable(err)
	}
	for _, old := range list {
		if old.SHA256 == sum && old.System == sys.ID {
			return old, nil
		}
	}
	id := api.NewBundleID()
	if err := s.blobs.Adopt(ctx, id, tmp.Name()); err != nil {
		return store.Bundle{}, noSpace(err)
	}
	b = store.Bundle{ID: id, System: sys.ID, SystemName: sys.Name, Filename: filename, Size: n, SHA256: sum, Via: "import"}
	if b, err = s.store(ctx, b, audit.BundleImported, by); err != nil {
		return store.Bundle{}, errors.Join(err, s.blobs.Delete(ctx, id))
	}
	return b, nil
}

func hash(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// tusError dresses an error for tusd, which then answers as we do elsewhere.
func tusError(err error) error {
	var already tus.Error
	if errors.As(err, &already) {
		return already
	}
	e := asError(noSpace(err))
	var body bytes.Buffer
	json.NewEncoder(&body).Encode(e)
	return tus.Error{ErrorCode: strings.ToUpper(string(e.Code)), Message: e.Message, HTTPResponse: tus.HTTPResponse{
		StatusCode: e.Status, Body: body.String(), Header: tus.HTTPHeader{"Content-Type": "application/json"}}}
}
