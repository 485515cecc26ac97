package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/relay/api"
)

// SendSegment sends one sealed segment of a recording. One that is there
// already with the same content counts as sent; with another, it is an error:
// relays overwrite nothing.
func (c *Client) SendSegment(ctx context.Context, connection string, n int, data []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL(api.SegmentPath(connection, n), nil), bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := c.Do(req, true)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection serves again
	return nil
}

// Recordings lists those of a system (its name or id), or all; a system gets
// its own.
func (c *Client) Recordings(ctx context.Context, system string) ([]api.Recording, error) {
	var list api.RecordingList
	err := c.JSON(ctx, http.MethodGet, api.PathRecordings, query("system", system), true, nil, &list)
	return list.Recordings, err
}

// FetchRecording brings the recording of a connection into a directory of its
// name below dir and returns that. System may be empty: it says whose
// connection is meant, should two have the same id. What comes is not
// believed: verify it.
func (c *Client) FetchRecording(ctx context.Context, system, connection, dir string) (string, api.Recording, error) {
	var rec api.Recording
	if !api.ValidConnectionID(connection) {
		return "", rec, fmt.Errorf("fetch recording: %q is no connection", connection)
	}
	q := query("system", system)
	if err := c.JSON(ctx, http.MethodGet, api.PathRecording+connection, q, true, nil, &rec); err != nil {
		return "", rec, fmt.Errorf("fetch recording %s: %w", connection, err)
	}
	dir = filepath.Join(dir, connection)
	for _, seg := range rec.List {
		b, err := c.segment(ctx, connection, seg, q)
		if err == nil {
			err = record.Store(dir, seg.N, b)
		}
		if err != nil {
			return "", rec, fmt.Errorf("fetch recording %s, segment %d: %w", connection, seg.N, err)
		}
	}
	return dir, rec, nil
}

func (c *Client) segment(ctx context.Context, connection string, seg api.Segment, q url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL(api.SegmentPath(connection, seg.N), q), nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	resp, err := c.Do(req, true)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, record.MaxSegmentFile+1))
	if err != nil {
		return nil, c.explain(err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != seg.SHA256 {
		return nil, fmt.Errorf("what the relay sent is not what its list says")
	}
	return b, nil
}
