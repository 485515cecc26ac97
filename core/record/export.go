package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/latchstring/latchstring/core/record/asciicast"
	"github.com/latchstring/latchstring/core/record/ttyrec"
)

// Format is what [Export] writes.
type Format string

// The formats of exports.
const (
	Ttyrec    Format = "ttyrec"
	Asciicast Format = "asciicast" // version 2
)

// Exported is what [Export] wrote.
type Exported struct {
	Channels []ExportedChannel `json:"channels"`
	Notes    string            `json:"notes"` // file with whose it is and what happened, in JSON
}

// ExportedChannel is the screen of one channel.
type ExportedChannel struct {
	Channel  uint32        `json:"channel"`
	File     string        `json:"file"`
	Terminal bool          `json:"terminal"` // false: a command without one
	Command  string        `json:"command,omitempty"`
	Output   int64         `json:"output"`
	Duration time.Duration `json:"duration"`
}

// castWriter is what writes one channel.
type castWriter interface {
	Resize(t time.Time, cols, rows int) error
	Write(t time.Time, p []byte) error
	Close(t time.Time) error
}

// Export writes a recording for other players into the directory out: a file
// for each channel that had output or a terminal, and one with the notes.
// Existing files are never overwritten. The ttyrec files hold the bytes that
// went to the engineer and the sizes of the terminal, and nothing else. In
// asciicast files the lines of commands without a terminal begin at the left,
// and what is no UTF-8 is replaced.
func Export(r *Reader, out string, format Format) (Exported, error) {
	if format != Ttyrec && format != Asciicast {
		return Exported{}, fmt.Errorf("export: no format is named %q; use ttyrec or asciicast", format)
	}
	if err := os.MkdirAll(out, 0o700); err != nil {
		return Exported{}, fmt.Errorf("export: %w", err)
	}
	e := exporter{r: r, out: out, format: format, channels: map[uint32]*exportChannel{}}
	for rec, err := range r.Records() {
		if err != nil {
			return e.done, err
		}
		if err := e.add(rec); err != nil {
			return e.done, fmt.Errorf("export: %w", err)
		}
	}
	if err := e.finish(); err != nil {
		return e.done, fmt.Errorf("export: %w", err)
	}
	return e.done, nil
}

type exporter struct {
	r        *Reader
	out      string
	format   Format
	channels map[uint32]*exportChannel
	order    []uint32
	notes    []Note
	last     time.Time
	done     Exported
}

type exportChannel struct {
	ExportedChannel
	path  string
	buf   *bufio.Writer
	cast  castWriter
	first time.Time
	ended time.Time
	crlf  bool
	cr    bool // the output so far ends with a carriage return
}

func (e *exporter) add(rec Record) error {
	e.last = rec.Time
	if rec.Note != nil {
		e.notes = append(e.notes, *rec.Note)
		return e.noted(rec)
	}
	c, err := e.channel(rec)
	if err != nil {
		return err
	}
	if rec.Cols > 0 {
		c.Terminal, c.crlf = true, false
		return c.cast.Resize(rec.Time, rec.Cols, rec.Rows)
	}
	c.Output += int64(len(rec.Output))
	return c.cast.Write(rec.Time, c.lines(rec.Output))
}

// noted keeps what a note says about a channel. A command belongs to its
// channel also when the screen comes later.
func (e *exporter) noted(rec Record) error {
	n := rec.Note
	switch n.Kind {
	case Shell, Command:
		c, err := e.channel(rec)
		if err != nil {
			return err
		}
		c.Command = n.Command
	case Exit:
		if c := e.channels[n.Channel]; c != nil {
			c.ended = rec.Time
		}
	}
	return nil
}

func (e *exporter) channel(rec Record) (*exportChannel, error) {
	if c := e.channels[rec.Channel]; c != nil {
		return c, nil
	}
	name := fmt.Sprintf("%s-%d.%s", e.r.ID(), rec.Channel, map[Format]string{Ttyrec: "ttyrec", Asciicast: "cast"}[e.format])
	c := &exportChannel{first: rec.Time, path: filepath.Join(e.out, name), crlf: e.format == Asciicast}
	c.Channel, c.File = rec.Channel, name
	f, err := os.OpenFile(c.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	c.buf = bufio.NewWriterSize(appender(c.path), 32<<10)
	switch e.format {
	case Ttyrec:
		c.cast = ttyrec.NewWriter(c.buf)
	default:
		b := e.r.Begin()
		c.cast = asciicast.NewWriter(c.buf, fmt.Sprintf("%s, channel %d: %s %s", e.r.ID(), rec.Channel, b.Engineer, b.Case))
	}
	e.channels[rec.Channel] = c
	e.order = append(e.order, rec.Channel)
	return c, nil
}

// lines makes lines of a command without a terminal begin at the left.
func (c *exportChannel) lines(p []byte) []byte {
	if !c.crlf || len(p) == 0 || bytes.IndexByte(p, '\n') < 0 {
		c.cr = len(p) > 0 && p[len(p)-1] == '\r'
		return p
	}
	out := make([]byte, 0, len(p)+16)
	for _, b := range p {
		if b == '\n' && !c.cr {
			out = append(out, '\r')
		}
		c.cr = b == '\r'
		out = append(out, b)
	}
	return out
}

func (e *exporter) finish() error {
	for _, n := range e.order {
		c := e.channels[n]
		end := c.ended
		if end.IsZero() {
			end = e.last
		}
		if err := c.cast.Close(end); err != nil {
			return err
		}
		if err := c.buf.Flush(); err != nil {
			return err
		}
		c.Duration = end.Sub(c.first)
		e.done.Channels = append(e.done.Channels, c.ExportedChannel)
	}
	e.done.Notes = e.r.ID() + ".json"
	f, err := os.OpenFile(filepath.Join(e.out, e.done.Notes), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(f)
	enc.SetIndent("", "  ")
	err = enc.Encode(struct {
		Recording string            `json:"recording"`
		Begin     Begin             `json:"begin"`
		Channels  []ExportedChannel `json:"channels"`
		Notes     []Note            `json:"notes"`
	}{e.r.ID(), e.r.Begin(), e.done.Channels, e.notes})
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// appender opens its file for each write: a connection may have had thousands
// of channels, and there are never as many files open.
type appender string

func (a appender) Write(p []byte) (int, error) {
	f, err := os.OpenFile(string(a), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return 0, err
	}
	n, err := f.Write(p)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}
