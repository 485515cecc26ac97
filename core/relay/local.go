package relay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"

	"github.com/latchstring/latchstring/core/relay/api"
)

// Admin is a client of the administration API: of a running relay by its
// socket, or of one in this process.
type Admin struct{ rt http.RoundTripper }

// ErrNotRunning is returned by Dial when no relay serves the socket.
var ErrNotRunning = errors.New("the relay is not running")

// Dial finds the relay that serves the socket at path.
func Dial(path string) (*Admin, error) {
	c, err := net.Dial("unix", path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNotRunning
	}
	if err != nil {
		return nil, fmt.Errorf("reach the relay: %w", err)
	}
	c.Close()
	return &Admin{&http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}, nil
}

// Local administers a server in this process, as its user.
func Local(s *Server) *Admin { return &Admin{inProcess{s}} }

type inProcess struct{ s *Server }

// RoundTrip runs the handler and passes its answer on through a pipe.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	pr, pw := io.Pipe()
	w := &pipeWriter{pw: pw, header: http.Header{}, ready: make(chan struct{})}
	go func() {
		p.s.admin.ServeHTTP(w, r.WithContext(WithActor(r.Context(), LocalActor(os.Geteuid()))))
		w.WriteHeader(http.StatusOK)
		pw.Close()
	}()
	<-w.ready
	return &http.Response{StatusCode: w.status, Status: http.StatusText(w.status), Header: w.header, Body: pr, Request: r}, nil
}

// pipeWriter is a response that is read while it is written.
type pipeWriter struct {
	pw     *io.PipeWriter
	header http.Header
	status int
	once   sync.Once
	ready  chan struct{} // closed when status and header are final
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status = status
		w.header = w.header.Clone()
		close(w.ready)
	})
}

func (w *pipeWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pw.Write(b)
}

// Call sends in as JSON (or as it is, when it is an io.Reader) and reads the
// answer into out, unless that is nil.
func (a *Admin) Call(ctx context.Context, method, path string, in, out any) error {
	resp, err := a.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read the relay's answer: %w", err)
	}
	return nil
}

// Stream returns the body of an answer, which the caller closes.
func (a *Admin) Stream(ctx context.Context, path string) (io.ReadCloser, error) {
	resp, err := a.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func (a *Admin) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	switch v := in.(type) {
	case nil:
	case io.Reader:
		body = v
	default:
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://rss"+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	resp, err := a.rt.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("reach the relay: %w", err)
	}
	if resp.StatusCode < 400 {
		return resp, nil
	}
	defer resp.Body.Close()
	e := &api.Error{}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(e); err != nil || e.Code == "" {
		return nil, fmt.Errorf("the relay answered %s", resp.Status)
	}
	e.Status = resp.StatusCode
	return nil, e
}
