package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
)

// segment is one file of the log. Its name holds the number of its first
// record, so that names sort in the order of the log.
type segment struct {
	name  string
	first uint64
	size  int64
}

var segmentPattern = regexp.MustCompile(`^audit-([0-9]{20})\.jsonl$`)

func segmentName(first uint64) string { return fmt.Sprintf("audit-%020d.jsonl", first) }

// segments lists the files of the log in order, with their present sizes.
func segments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	var out []segment
	for _, e := range entries {
		m := segmentPattern.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		first, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read audit log: segment %s: %w", e.Name(), err)
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("read audit log: %w", err)
		}
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("read audit log: %s is no regular file", filepath.Join(dir, e.Name()))
		}
		out = append(out, segment{name: e.Name(), first: first, size: info.Size()})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].first < out[j].first })
	return out, nil
}

// tail is what the end of a segment holds.
type tail struct {
	last *Record // the last good record, nil when there is none within reach
	torn []byte  // what follows it and is no record
	open bool    // the torn bytes do not end with a newline
}

// readTail looks at the last lines of a file of the given size. At most two
// torn lines of MaxLine can follow a good record; further back is not searched.
func readTail(path string, size int64) (tail, error) {
	f, err := os.Open(path)
	if err != nil {
		return tail{}, fmt.Errorf("read audit log: %w", err)
	}
	defer f.Close()
	from := max(0, size-3*MaxLine)
	b := make([]byte, size-from)
	if _, err := f.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		return tail{}, fmt.Errorf("read audit log %s: %w", path, err)
	}
	if from > 0 {
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:]
		}
	}
	t := tail{open: len(b) > 0 && b[len(b)-1] != '\n'}
	end := len(b)
	for end > 0 {
		body := b[:end]
		complete := body[len(body)-1] == '\n'
		if complete {
			body = body[:len(body)-1]
		}
		start := bytes.LastIndexByte(body, '\n') + 1
		if complete {
			if r, err := Decode(body[start:]); err == nil {
				t.last = &r
				break
			}
		}
		end = start
	}
	t.torn = bytes.Clone(b[end:])
	return t, nil
}
