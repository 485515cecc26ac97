package record

import (
	"archive/tar"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/latchstring/latchstring/core/record/ttyrec"
)

// WriteTtyrec writes the screen of one channel to w as it is read, in the memory
// of a segment. It is what [Export] writes to a file.
func WriteTtyrec(w io.Writer, r *Reader, channel uint32) error {
	out := ttyrec.NewWriter(w)
	var last time.Time
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		ended := rec.Note != nil && rec.Note.Kind == Exit
		if rec.Channel != channel || rec.Note != nil && !ended {
			continue
		}
		switch last = rec.Time; {
		case ended:
		case rec.Cols > 0:
			err = out.Resize(rec.Time, rec.Cols, rec.Rows)
		default:
			err = out.Write(rec.Time, rec.Output)
		}
		if err != nil {
			return fmt.Errorf("write ttyrec: %w", err)
		}
	}
	if err := out.Close(last); err != nil {
		return fmt.Errorf("write ttyrec: %w", err)
	}
	return nil
}

// WriteSealed writes the sealed segments of the recording in dir as a tar
// archive, unchanged and still encrypted, in a folder of the recording's name:
// unpacked it is what [Verify] and [Open] take. What is not sealed yet is not in it.
func WriteSealed(w io.Writer, dir string) error {
	all, err := segmentNumbers(dir, sealedExt)
	if err != nil {
		return err
	}
	out := tar.NewWriter(w)
	for _, n := range all {
		name := segmentName(n, sealedExt)
		b, err := readBounded(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("pack recording: %w", err)
		}
		if err := out.WriteHeader(&tar.Header{Name: filepath.Base(dir) + "/" + name, Mode: 0o600, Size: int64(len(b)), Format: tar.FormatUSTAR}); err != nil {
			return fmt.Errorf("pack recording: %w", err)
		}
		if _, err := out.Write(b); err != nil {
			return fmt.Errorf("pack recording: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("pack recording: %w", err)
	}
	return nil
}
