package relay

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"syscall"

	"github.com/tus/tusd/v2/pkg/filestore"
	tus "github.com/tus/tusd/v2/pkg/handler"
	expslog "golang.org/x/exp/slog"

	"github.com/latchstring/latchstring/core/relay/api"
)

// noSpace turns a full disk into the answer that says so.
func noSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return api.Errorf(http.StatusInsufficientStorage, api.CodeNoSpace, "the relay's disk is full; what arrived is kept, try later")
	}
	return err
}

// explain is tusd's file store with errors that clients understand: without it
// a full disk is an internal error, with the path of the file in it.
type explain struct{ filestore.FileStore }

func (e explain) NewUpload(ctx context.Context, info tus.FileInfo) (tus.Upload, error) {
	u, err := e.FileStore.NewUpload(ctx, info)
	if err != nil {
		return nil, tusError(err)
	}
	return explainUpload{u}, nil
}

func (e explain) GetUpload(ctx context.Context, id string) (tus.Upload, error) {
	u, err := e.FileStore.GetUpload(ctx, id)
	if err != nil {
		return nil, err
	}
	return explainUpload{u}, nil
}

func (e explain) AsTerminatableUpload(u tus.Upload) tus.TerminatableUpload {
	return e.FileStore.AsTerminatableUpload(u.(explainUpload).Upload)
}

type explainUpload struct{ tus.Upload }

func (u explainUpload) WriteChunk(ctx context.Context, offset int64, src io.Reader) (int64, error) {
	n, err := u.Upload.WriteChunk(ctx, offset, src)
	if err != nil {
		err = tusError(err)
	}
	return n, err
}

// quiet passes on what tusd has to say that is not about each request.
func quiet(log *slog.Logger) *expslog.Logger { return expslog.New(bridge{log}) }

// bridge is a handler of the experimental slog package, which tusd uses.
type bridge struct{ log *slog.Logger }

func (b bridge) Enabled(_ context.Context, l expslog.Level) bool { return l >= expslog.LevelWarn }

func (b bridge) Handle(ctx context.Context, r expslog.Record) error {
	attrs := []any{"message", r.Message}
	r.Attrs(func(a expslog.Attr) bool {
		attrs = append(attrs, a.Key, a.Value.String())
		return true
	})
	b.log.Log(ctx, slog.LevelDebug, "upload", attrs...)
	return nil
}

func (b bridge) WithAttrs(attrs []expslog.Attr) expslog.Handler {
	var args []any
	for _, a := range attrs {
		args = append(args, a.Key, a.Value.String())
	}
	return bridge{b.log.With(args...)}
}

func (b bridge) WithGroup(name string) expslog.Handler { return bridge{b.log.WithGroup(name)} }
