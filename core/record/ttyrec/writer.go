package ttyrec

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// The size of a terminal that nobody told the size of.
const (
	DefaultCols = 80
	DefaultRows = 24
)

// maxPayload is the longest record that is written.
const maxPayload = 64 << 10

// Writer writes one recording.
type Writer struct {
	w          io.Writer
	buf        []byte
	join       Joiner
	last       time.Time
	records    int
	cols, rows int
}

// NewWriter writes to w, one record a write.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, cols: DefaultCols, rows: DefaultRows}
}

// Resize sets the size of the terminal from t on. Call it first of all when
// the size is known.
func (w *Writer) Resize(t time.Time, cols, rows int) error {
	w.cols, w.rows = cols, rows
	return w.size(t)
}

func (w *Writer) size(t time.Time) error {
	return w.record(t, fmt.Appendf(nil, "\x1b[8;%d;%dt", w.rows, w.cols))
}

// Write adds output that appeared at t.
func (w *Writer) Write(t time.Time, p []byte) error {
	if w.records == 0 {
		if err := w.size(t); err != nil {
			return err
		}
	}
	late, due, now := w.join.Add(t, p)
	if err := w.record(due, late); err != nil {
		return err
	}
	for len(now) > maxPayload {
		cut := maxPayload - incomplete(now[:maxPayload])
		if err := w.record(t, now[:cut]); err != nil {
			return err
		}
		now = now[cut:]
	}
	return w.record(t, now)
}

// Close ends the recording at t. It does not close the writer below.
func (w *Writer) Close(t time.Time) error {
	if w.records == 0 {
		if err := w.size(t); err != nil {
			return err
		}
	}
	if err := w.record(t, w.join.Rest()); err != nil {
		return err
	}
	if w.records < 2 || t.After(w.last) {
		return w.size(t) // says how long the last picture stood
	}
	return nil
}

func (w *Writer) record(t time.Time, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if t.Before(w.last) {
		t = w.last
	}
	w.last = t
	w.buf = binary.LittleEndian.AppendUint32(w.buf[:0], uint32(t.Unix())) // until 2106
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(t.Nanosecond()/1000))
	w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(len(p)))
	w.buf = append(w.buf, p...)
	w.records++
	if _, err := w.w.Write(w.buf); err != nil {
		return fmt.Errorf("write ttyrec: %w", err)
	}
	return nil
}
