package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/latchstring/latchstring/core/durable"
)

// Store keeps segment n of a recording that was fetched from elsewhere in dir,
// where [Open] and [Verify] find it. It looks at nothing but the size.
func Store(dir string, n int, b []byte) error {
	if n < 0 || len(b) > maxSealedFile {
		return fmt.Errorf("store segment %d of %d bytes: it cannot be one", n, len(b))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("store segment: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, segmentName(n, sealedExt)), b)
}

// MaxSegmentFile is the size of the largest segment file there can be.
const MaxSegmentFile = maxSealedFile

// Prune removes recordings from dir that ended before the given time and are
// at the relay whole. With evenHere also those that are nowhere else. It
// tells each before it goes; one that is being made, or was not closed, stays in
// any case.
func Prune(dir string, before time.Time, evenHere bool, removed func(Info) error) error {
	all, err := List(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, info := range all {
		closed := info.State == Complete || info.State == Crash
		if !closed || !info.Last.Before(before) || info.Shipped < info.Segments && !evenHere {
			continue
		}
		if removed != nil {
			if err := removed(info); err != nil { // what cannot be said is not done
				errs = append(errs, err)
				continue
			}
		}
		if err := os.RemoveAll(info.Dir); err != nil {
			errs = append(errs, fmt.Errorf("remove recording %s: %w", info.ID, err))
		}
	}
	return errors.Join(errs...)
}
