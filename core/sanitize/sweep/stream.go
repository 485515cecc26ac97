package sweep

import (
	"errors"
	"io"
)

// streamBuffer is what Stream reads at a time.
const streamBuffer = 256 << 10

// Stream searches what r delivers and calls fn for every occurrence with its
// place in the stream. Memory is bounded whatever the length. buf is used if
// it is large enough (256 KB and two carries) and may be nil. An error of r or
// fn ends the search and is returned.
func (m *Matcher) Stream(r io.Reader, buf []byte, fn func(start, end int64, found Match) error) error {
	// A match is reported once: when it lies behind what the previous round
	// has settled. The carry is one byte longer than the overlap needs, so
	// that word boundaries see the byte before.
	carry := m.maxLen + 1
	if len(buf) < streamBuffer+2*carry {
		buf = make([]byte, streamBuffer+2*carry)
	}
	var (
		matches []Match
		base    int64 // stream position of buf[0]
		settled int64 // matches before it are reported
		held    int
	)
	for {
		n, err := io.ReadFull(r, buf[held:])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		text := buf[:held+n]
		matches = m.Append(matches[:0], text)
		limit := len(text) - carry // what starts later may go on, or join another
		for _, f := range matches {
			start, end := base+int64(f.Start), base+int64(f.End)
			if !last && f.Start >= limit {
				break
			}
			if start < settled {
				continue
			}
			if err := fn(start, end, f); err != nil {
				return err
			}
			settled = end
		}
		if last {
			return nil
		}
		keep := min(len(text), 2*carry)
		settled = max(settled, base+int64(limit))
		copy(buf, text[len(text)-keep:])
		base += int64(len(text) - keep)
		held = keep
	}
}
