package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tus/tusd/v2/pkg/filestore"
	tus "github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/core/relay/store"
)

// metaSystem is what the relay itself adds to the metadata of an upload.
const metaSystem = "system"

// intake takes uploads by tus into a directory.
type intake struct {
	srv    *Server
	dir    string
	limits setup.Limits
	free   func() (int64, error)
	stall  time.Duration
	tus    *tus.UnroutedHandler

	accepting sync.Map // ids of uploads that are being checked
}

func newIntake(s *Server, o Options) (*intake, error) {
	in := &intake{srv: s, dir: o.Relay.Places.Intake, limits: o.Relay.Config.Limits, free: o.Free, stall: o.StallTimeout}
	if err := os.MkdirAll(in.dir, 0o700); err != nil {
		return nil, fmt.Errorf("open intake directory: %w", err)
	}
	files := filestore.New(in.dir)
	files.DirModePerm, files.FileModePerm = 0o700, 0o600
	composer := tus.NewStoreComposer()
	composer.UseCore(explain{files})
	composer.UseTerminater(explain{files})
	// Locks in memory, because the store's lock already keeps other processes
	// out; lock files with process ids in them survive a crash, and in a
	// container the next process has the same id.
	memorylocker.New().UseIn(composer)
	var err error
	in.tus, err = tus.NewUnroutedHandler(tus.Config{
		StoreComposer: composer, BasePath: api.PathUpload, DisableDownload: true, DisableConcatenation: true,
		Cors: &tus.CorsConfig{Disable: true}, Logger: quiet(s.log), NetworkTimeout: in.stall,
		PreUploadCreateCallback: in.beforeCreate, PreFinishResponseCallback: in.complete,
	})
	if err != nil {
		return nil, fmt.Errorf("set up uploads: %w", err)
	}
	return in, nil
}

func (in *intake) routes(mux *http.ServeMux) {
	// What the server can do is no secret, and tus clients ask first.
	mux.Handle("OPTIONS "+api.PathUpload+"{$}", in.tus.Middleware(http.NotFoundHandler()))
	mux.Handle("POST "+api.PathUpload+"{$}", in.owned(in.tus.PostFile))
	mux.Handle("HEAD "+api.PathUpload+"{id}", in.owned(in.tus.HeadFile))
	mux.Handle("PATCH "+api.PathUpload+"{id}", in.owned(in.tus.PatchFile))
	mux.Handle("DELETE "+api.PathUpload+"{id}", in.owned(in.tus.DelFile))
}

type (
	systemKey     struct{}
	controllerKey struct{}
)

// owned lets a system at its own uploads only. An upload of another is not
// there, as far as it can tell.
func (in *intake) owned(h http.HandlerFunc) http.Handler {
	next := http.StripPrefix(strings.TrimSuffix(api.PathUpload, "/"), in.tus.Middleware(h))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sys, err := in.srv.system(r)
		if err != nil {
			writeError(w, err)
			return
		}
		if id := r.PathValue("id"); id != "" {
			done, err := in.mayTouch(r.Context(), sys, id)
			if err != nil {
				writeError(w, err)
				return
			}
			if done != nil {
				complete(w, r, *done)
				return
			}
		}
		ctx := context.WithValue(r.Context(), systemKey{}, sys)
		ctx = context.WithValue(ctx, controllerKey{}, http.NewResponseController(w))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// mayTouch returns the bundle when the upload is complete, nil while it is
// under way, and an error when it is not the system's.
func (in *intake) mayTouch(ctx context.Context, sys store.System, id string) (*store.Bundle, error) {
	none := api.Errorf(http.StatusNotFound, api.CodeNotFound, "there is no upload %.40q of this system", id)
	if !api.ValidBundleID(id) {
		return nil, none
	}
	b, err := in.srv.reg.Bundle(ctx, id)
	switch {
	case err == nil && b.System == sys.ID:
		return &b, nil
	case err == nil:
		return nil, none
	case !errors.Is(err, store.ErrNotFound):
		return nil, unavailable(err)
	}
	u, err := in.read(id)
	if err != nil || u.MetaData[metaSystem] != sys.ID {
		return nil, none
	}
	return nil, nil
}

// complete answers for an upload that is a bundle already.
func complete(w http.ResponseWriter, r *http.Request, b store.Bundle) {
	h := w.Header()
	h.Set("Tus-Resumable", "1.0.0")
	h.Set("Upload-Offset", fmt.Sprint(b.Size))
	h.Set("Upload-Length", fmt.Sprint(b.Size))
	switch r.Method {
	case http.MethodHead:
		w.WriteHeader(http.StatusOK)
	case http.MethodPatch:
		w.WriteHeader(http.StatusNoContent)
	default:
		writeError(w, api.Errorf(http.StatusForbidden, api.CodeForbidden, "bundle %s was accepted; a system cannot take it back", b.ID))
	}
}

// beforeCreate decides whether an upload may begin, and what of its metadata
// is believed.
func (in *intake) beforeCreate(hook tus.HookEvent) (tus.HTTPResponse, tus.FileInfoChanges, error) {
	sys, ok := hook.Context.Value(systemKey{}).(store.System)
	if !ok {
		return tus.HTTPResponse{}, tus.FileInfoChanges{}, in.fail(errors.New("upload without a login"))
	}
	meta, err := in.admit(hook.Context, sys, hook.Upload)
	if err != nil {
		in.srv.metrics.uploadsRefused.Add(1)
		return tus.HTTPResponse{}, tus.FileInfoChanges{}, in.fail(err)
	}
	return tus.HTTPResponse{}, tus.FileInfoChanges{ID: api.NewBundleID(), MetaData: meta}, nil
}

func (in *intake) admit(ctx context.Context, sys store.System, info tus.FileInfo) (tus.MetaData, error) {
	meta, err := checkMeta(sys, info)
	if err != nil {
		return nil, err
	}
	if info.Size > in.limits.MaxBundle {
		return nil, api.Errorf(http.StatusRequestEntityTooLarge, api.CodeTooLarge, "the bundle has %d bytes; this relay takes at most %d", info.Size, in.limits.MaxBundle)
	}
	if err := in.checkStored(ctx, sys, meta[api.MetaSHA256], info.Size); err != nil {
		return nil, err
	}
	return meta, in.checkOpen(sys, meta[api.MetaSHA256], info.Size)
}

// checkMeta keeps the keys we know. A claim to be another system is refused,
// not corrected: something is wrong there.
func checkMeta(sys store.System, info tus.FileInfo) (tus.MetaData, error) {
	bad := func(format string, args ...any) (tus.MetaData, error) {
		return nil, api.Errorf(http.StatusBadRequest, api.CodeBadRequest, format, args...)
	}
	if s := info.MetaData[metaSystem]; s != "" && s != sys.ID {
		return nil, api.Errorf(http.StatusForbidden, api.CodeForbidden, "system %s cannot upload as %.40q", sys.ID, s)
	}
	sum := info.MetaData[api.MetaSHA256]
	if len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
		return bad("Upload-Metadata: %s must be 64 hexadecimal digits in lower case", api.MetaSHA256)
	}
	name := clean(info.MetaData[api.MetaFilename], 200)
	if name == "" || name != filepath.Base(name) || name == ".." || name == "." {
		return bad("Upload-Metadata: %s %.80q is no file name", api.MetaFilename, name)
	}
	anchor := info.MetaData[api.MetaAnchor]
	if anchor != "" {
		var seq uint64
		var hash string
		if n, err := fmt.Sscanf(anchor, "%d %64s", &seq, &hash); n != 2 || err != nil || anchor != fmt.Sprintf("%d %s", seq, hash) || len(hash) != 64 {
			return bad("Upload-Metadata: %s %.90q is not the head of an audit log", api.MetaAnchor, anchor)
		}
	}
	if info.Size <= 0 {
		return bad("an empty bundle")
	}
	meta := tus.MetaData{metaSystem: sys.ID, api.MetaSHA256: sum, api.MetaFilename: name, api.MetaAnchor: anchor, api.MetaCase: clean(info.MetaData[api.MetaCase], 100)}
	// A key without a value is legal, and at the end of the header not all
	// clients can read it.
	maps.DeleteFunc(meta, func(_, value string) bool { return value == "" })
	return meta, nil
}

// checkStored looks at what the system has here already.
func (in *intake) checkStored(ctx context.Context, sys store.System, sum string, size int64) error {
	list, err := in.srv.reg.Bundles(ctx)
	if err != nil {
		return unavailable(err)
	}
	var stored int64
	for _, b := range list {
		if b.System != sys.ID {
			continue
		}
		if b.SHA256 == sum {
			e := api.Errorf(http.StatusConflict, api.CodeBundleExists, "this bundle is here already, as %s", b.ID)
			e.ID = b.ID
			return e
		}
		stored += b.Size
	}
	if stored+size > in.limits.MaxStored {
		return api.Errorf(http.StatusForbidden, api.CodeQuota, "system %s has %d bytes of bundles here; with %d more it would be above its limit of %d", sys.Name, stored, size, in.limits.MaxStored)
	}
	return nil
}

// checkOpen looks at what is under way, and whether the disk can take it all.
func (in *intake) checkOpen(sys store.System, sum string, size int64) error {
	uploads, err := in.list()
	if err != nil {
		return err
	}
	open, promised := 0, int64(0)
	for _, u := range uploads {
		promised += u.Size - u.Offset
		if u.MetaData[metaSystem] != sys.ID {
			continue
		}
		open++
		if u.MetaData[api.MetaSHA256] == sum && u.Size == size {
			e := api.Errorf(http.StatusConflict, api.CodeUploadExists, "an upload of this bundle is under way, as %s", u.ID)
			e.ID = u.ID
			return e
		}
	}
	if open >= in.limits.MaxOpen {
		return api.Errorf(http.StatusTooManyRequests, api.CodeBusy, "system %s has %d unfinished uploads; finish or delete one first", sys.Name, open)
	}
	free, err := in.free()
	if err != nil {
		return err
	}
	if size+promised > free-in.limits.KeepFree {
		in.srv.log.Error("disk is full", "free", free, "keep", in.limits.KeepFree, "promised", promised, "asked", size)
		return api.Errorf(http.StatusInsufficientStorage, api.CodeNoSpace, "the relay has no space for %d bytes now; try later", size)
	}
	return nil
}

// upload is an unfinished upload as it lies in the directory.
type upload struct {
	tus.FileInfo
	path, info string
	touched    time.Time
}

func (in *intake) read(id string) (upload, error) {
	u := upload{path: filepath.Join(in.dir, id), info: filepath.Join(in.dir, id+".info")}
	b, err := os.ReadFile(u.info)
	if err != nil {
		return upload{}, err
	}
	if err := json.Unmarshal(b, &u.FileInfo); err != nil {
		return upload{}, fmt.Errorf("read %s: %w", u.info, err)
	}
	if u.ID != id {
		return upload{}, fmt.Errorf("read %s: it is about %q", u.info, u.ID)
	}
	fi, err := os.Stat(u.path)
	if err != nil {
		return u, err
	}
	u.Offset, u.touched = fi.Size(), fi.ModTime()
	return u, nil
}

// list returns what lies in the directory. Files that are not readable as
// uploads are left alone.
func (in *intake) list() ([]upload, error) {
	entries, err := os.ReadDir(in.dir)
	if err != nil {
		return nil, fmt.Errorf("read intake directory: %w", err)
	}
	var out []upload
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".info")
		if !ok || !api.ValidBundleID(id) {
			continue
		}
		u, err := in.read(id)
		if err != nil && u.ID == "" {
			in.srv.log.Warn("unreadable upload", "id", id, "error", err)
			continue
		}
		out = append(out, u)
	}
	return out, nil
}

// remove deletes the files of an upload, the description last.
func (in *intake) remove(u upload) error {
	for _, path := range []string{u.path, u.info} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove upload: %w", err)
		}
	}
	return nil
}

// expire removes uploads that nobody went on with.
func (in *intake) expire(ctx context.Context) error {
	uploads, err := in.list()
	if err != nil {
		return err
	}
	limit := in.srv.now().AddDate(0, 0, -in.limits.UnfinishedFor)
	for _, u := range uploads {
		if u.touched.IsZero() || u.touched.After(limit) || u.Offset == u.Size {
			continue
		}
		detail := map[string]string{"bytes": fmt.Sprint(u.Offset), "of": fmt.Sprint(u.Size)}
		if err := in.srv.record(ctx, audit.UploadExpired, "relay", u.ID, detail); err != nil {
			return err
		}
		if err := in.remove(u); err != nil {
			return err
		}
	}
	return nil
}
