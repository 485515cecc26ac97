// Package asciicast writes terminal recordings in the asciicast v2 format: a
// line of JSON about the recording, then a line for each event
// (https://docs.asciinema.org/manual/asciicast/v2/).
package asciicast

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/record/ttyrec"
)

// Writer writes one recording.
type Writer struct {
	w       io.Writer
	title   string
	start   time.Time
	last    time.Time
	started bool
	join    ttyrec.Joiner
}

// NewWriter writes to w; the title is shown by players.
func NewWriter(w io.Writer, title string) *Writer { return &Writer{w: w, title: title} }

// Resize sets the size of the terminal from t on. Call it first of all when
// the size is known.
func (w *Writer) Resize(t time.Time, cols, rows int) error {
	if !w.started {
		return w.head(t, cols, rows)
	}
	return w.event(t, "r", fmt.Sprintf("%dx%d", cols, rows))
}

// Write adds output that appeared at t. What is no UTF-8 is replaced: the
// format has no way to say it.
func (w *Writer) Write(t time.Time, p []byte) error {
	if err := w.begin(t); err != nil {
		return err
	}
	late, due, now := w.join.Add(t, p)
	if err := w.output(due, late); err != nil {
		return err
	}
	return w.output(t, now)
}

// Close ends the recording at t. It does not close the writer below.
func (w *Writer) Close(t time.Time) error {
	if err := w.begin(t); err != nil {
		return err
	}
	if err := w.output(t, w.join.Rest()); err != nil {
		return err
	}
	return w.event(t, "m", "end") // a marker: says how long the last picture stood
}

func (w *Writer) begin(t time.Time) error {
	if w.started {
		return nil
	}
	return w.head(t, ttyrec.DefaultCols, ttyrec.DefaultRows)
}

func (w *Writer) head(t time.Time, cols, rows int) error {
	w.started, w.start, w.last = true, t, t
	return w.line(struct {
		Version   int    `json:"version"`
		Width     int    `json:"width"`
		Height    int    `json:"height"`
		Timestamp int64  `json:"timestamp"`
		Title     string `json:"title,omitempty"`
	}{2, cols, rows, t.Unix(), w.title})
}

func (w *Writer) output(t time.Time, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	return w.event(t, "o", strings.ToValidUTF8(string(p), "\uFFFD"))
}

func (w *Writer) event(t time.Time, code, data string) error {
	if t.Before(w.last) {
		t = w.last
	}
	w.last = t
	at := json.Number(fmt.Sprintf("%.6f", t.Sub(w.start).Seconds()))
	return w.line([]any{at, code, data})
}

func (w *Writer) line(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write asciicast: %w", err)
	}
	if _, err := w.w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write asciicast: %w", err)
	}
	return nil
}
