package deliver

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
)

// The tus resumable upload protocol 1.0.0 (https://tus.io/protocols/resumable-upload):
// POST makes an upload, HEAD asks how far it is, PATCH appends to it.
const tusVersion = "1.0.0"

// createUpload announces a bundle and returns the id of its upload. When these
// bytes are under way or there already, it is that one's id.
func createUpload(ctx context.Context, c *client.Client, size int64, meta map[string]string) (string, error) {
	req, err := tusRequest(ctx, c, http.MethodPost, "", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Upload-Length", strconv.FormatInt(size, 10))
	req.Header.Set("Upload-Metadata", encodeMeta(meta))
	resp, err := c.Do(req, true)
	var refused *api.Error
	if errors.As(err, &refused) && (refused.Code == api.CodeUploadExists || refused.Code == api.CodeBundleExists) && api.ValidBundleID(refused.ID) {
		return refused.ID, nil
	}
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	// The address is not followed: it could name another host. The id counts.
	id := path.Base(resp.Header.Get("Location"))
	if !api.ValidBundleID(id) {
		return "", fmt.Errorf("relay %s: the new upload has the id %.60q, which is none", c.Address(), id)
	}
	return id, nil
}

// offset asks how many bytes of an upload the relay has.
func offset(ctx context.Context, c *client.Client, id string, size int64) (int64, error) {
	req, err := tusRequest(ctx, c, http.MethodHead, id, nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.Do(req, true)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return parseOffset(c, resp, size)
}

func parseOffset(c *client.Client, resp *http.Response, size int64) (int64, error) {
	text := resp.Header.Get("Upload-Offset")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > size {
		return 0, fmt.Errorf("relay %s: it says it has %.40q of %d bytes", c.Address(), text, size)
	}
	return n, nil
}

// appendFrom sends what body gives, which is everything from offset at on, and
// returns how far the upload is then.
func appendFrom(ctx context.Context, c *client.Client, id string, at, size int64, body io.Reader) (int64, error) {
	req, err := tusRequest(ctx, c, http.MethodPatch, id, io.NopCloser(body))
	if err != nil {
		return 0, err
	}
	req.ContentLength = size - at
	req.Header.Set("Content-Type", "application/offset+octet-stream")
	req.Header.Set("Upload-Offset", strconv.FormatInt(at, 10))
	resp, err := c.Do(req, true)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return parseOffset(c, resp, size)
}

func tusRequest(ctx context.Context, c *client.Client, method, id string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.URL(api.PathUpload+id, nil), body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Tus-Resumable", tusVersion)
	return req, nil
}

// encodeMeta writes the header: keys, each with its value in base64.
func encodeMeta(meta map[string]string) string {
	var parts []string
	for k, v := range meta {
		if v != "" {
			parts = append(parts, k+" "+base64.StdEncoding.EncodeToString([]byte(v)))
		}
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}

// watched is the body of an upload: it reports progress, keeps to a rate, and
// cancels the request when the network has taken nothing for too long.
type watched struct {
	ctx      context.Context
	r        io.Reader
	at       int64
	progress func(at int64)
	rate     int64 // bytes a second, 0: no limit
	stall    *time.Timer
	patience time.Duration
	last     time.Duration // patience for the answer behind the last byte

	start time.Time
	sent  int64
}

func (w *watched) Read(b []byte) (int, error) {
	w.stall.Reset(w.patience)
	if w.progress != nil {
		w.progress(w.at) // what was read before is on its way now
	}
	if w.rate > 0 {
		b = b[:min(len(b), int(max(w.rate/8, 1)))]
		if err := w.pace(); err != nil {
			return 0, err
		}
	}
	n, err := w.r.Read(b)
	w.at += int64(n)
	w.sent += int64(n)
	if err != nil {
		w.stall.Reset(w.last)
	}
	return n, err
}

// pace sleeps until as much time has gone by as the bytes so far may take.
func (w *watched) pace() error {
	due := time.Duration(float64(w.sent) / float64(w.rate) * float64(time.Second))
	wait := due - time.Since(w.start)
	if wait <= 0 {
		return nil
	}
	w.stall.Reset(w.patience + wait)
	select {
	case <-time.After(wait):
		return nil
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}
