package access

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"

	"github.com/latchstring/latchstring/core/access/files"
	"github.com/latchstring/latchstring/core/access/words"
	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/record"
)

// A lazyTree is the user's view of the files, made when first wanted.
type lazyTree struct {
	server *server

	mu     sync.Mutex
	judged *files.Tree
	plain  *files.Tree // without a judge, for what this package looks at itself
}

func (l *lazyTree) get() (*files.Tree, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.judged == nil {
		t, err := files.New(l.server.account, files.Judge{Upload: l.server.mayUpload, Download: l.server.mayDownload})
		if err != nil {
			return nil, err
		}
		l.judged = t
	}
	return l.judged, nil
}

// own is the user's view without a judge.
func (l *lazyTree) own() (*files.Tree, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.plain == nil {
		yes := func(string) error { return nil }
		t, err := files.New(l.server.account, files.Judge{Upload: yes, Download: yes})
		if err != nil {
			return nil, err
		}
		l.plain = t
	}
	return l.plain, nil
}

func (l *lazyTree) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range []*files.Tree{l.judged, l.plain} {
		if t != nil {
			t.Close()
		}
	}
	l.judged, l.plain = nil, nil
}

func (s *server) mayUpload(path string) error {
	return s.decide(policy.AccessUpload, policy.Facts{policy.Path: path}).Err()
}

func (s *server) mayDownload(path string) error {
	return s.decide(policy.AccessFetch, policy.Facts{policy.Path: path}).Err()
}

// said tells a refusal about a file to all who should know, and returns err.
func (x *session) said(path, direction string, err error) error {
	if r := (*policy.Refusal)(nil); errors.As(err, &r) {
		x.show(x.deny(x.number, direction+" of "+path, map[string]string{"path": path, "direction": direction}, r.Decision))
	}
	return err
}

// changed writes down what was done to files other than moving their content.
func (x *session) changed(path string, err error, format string, args ...any) error {
	if err != nil {
		return x.said(path, "change", err)
	}
	what := fmt.Sprintf(format, args...)
	if err := x.ledger.note(record.Note{Channel: x.number, Kind: record.Command, Command: what, Path: path, Text: "a change by file transfer"}); err != nil {
		return err
	}
	return x.ledger.audit(audit.AccessFile, map[string]string{"path": path, "change": what})
}

// absolute is where a word of a command line leads, patterns resolved.
func (x *session) absolute(t *files.Tree, w words.Word) []string {
	place := func(s string) string {
		if w.Home || !strings.HasPrefix(s, "/") {
			return strings.TrimRight(x.account.Home, "/") + "/" + s
		}
		return s
	}
	if w.Glob {
		if found := t.Glob(path.Clean(place(w.Pattern))); len(found) > 0 {
			return found
		}
	}
	return []string{place(w.Text)} // as a shell that finds nothing
}
