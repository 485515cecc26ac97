package accuracy

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Cases of our own are text files with marks, which are easier to read and to
// write than JSON. A line that begins with "== " starts a case and gives its
// id and the name of its file; what follows is the input, with
//
//	⟦a secret⟧   must_hide
//	⟨a value⟩    must_keep
//	‹a name›     must_pseudo
//
// Marks do not nest. Lines before the first case are comments.
const (
	hideOpen, hideClose     = "⟦", "⟧"
	keepOpen, keepClose     = "⟨", "⟩"
	pseudoOpen, pseudoClose = "‹", "›"
)

func loadMarked(path string) ([]Case, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := strings.TrimSuffix(filepath.Base(path), ".txt")
	var out []Case
	text := "\n" + string(b)
	parts := strings.Split(text, "\n== ")
	line := bytes.Count([]byte(parts[0]), []byte("\n"))
	for _, p := range parts[1:] {
		head, body, _ := strings.Cut(p, "\n")
		id, file, _ := strings.Cut(strings.TrimSpace(head), " ")
		// A blank line before the next case belongs to nobody.
		body = strings.TrimRight(body, "\n") + "\n"
		c := Case{ID: id, Set: set, Source: set, File: strings.TrimSpace(file)}
		if c.Input, err = unmark(&c, body); err != nil {
			return nil, fmt.Errorf("%s:%d: case %s: %w", path, line+1, id, err)
		}
		line += strings.Count(p, "\n") + 1
		out = append(out, c)
	}
	return out, nil
}

// unmark takes the marks out of body and enters what they hold into c.
func unmark(c *Case, body string) (string, error) {
	var plain strings.Builder
	for body != "" {
		i := strings.IndexAny(body, hideOpen+keepOpen+pseudoOpen)
		if i < 0 {
			break
		}
		plain.WriteString(body[:i])
		body = body[i:]
		open, end, list := hideOpen, hideClose, &c.MustHide
		switch {
		case strings.HasPrefix(body, keepOpen):
			open, end, list = keepOpen, keepClose, &c.MustKeep
		case strings.HasPrefix(body, pseudoOpen):
			open, end, list = pseudoOpen, pseudoClose, &c.MustPseudo
		}
		body = body[len(open):]
		j := strings.Index(body, end)
		if j <= 0 {
			return "", fmt.Errorf("mark %s is not closed or empty", open)
		}
		*list = append(*list, body[:j])
		plain.WriteString(body[:j])
		body = body[j+len(end):]
	}
	plain.WriteString(body)
	s := plain.String()
	if i := strings.IndexAny(s, hideClose+keepClose+pseudoClose); i >= 0 {
		return "", fmt.Errorf("mark closed that was not open, at %q", s[max(0, i-20):i])
	}
	return s, nil
}
