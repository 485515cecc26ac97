package findings

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"
	"time"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"place": place,
	"link": func(file string) string {
		parts := strings.Split(file, "/")
		for i, p := range parts {
			parts[i] = url.PathEscape(p)
		}
		return "./" + strings.Join(parts, "/")
	},
	"when":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
	"join":  func(s []string) string { return strings.Join(s, ", ") },
	"clean": clean,
}).Parse(pageText))

// HTML writes the report as one page, which is to stand beside the files of the
// bundle: its links lead to them. It loads nothing and runs nothing.
func (r *Report) HTML(w io.Writer) error {
	type count struct {
		Severity Severity
		N        int
	}
	var counts []count
	for _, s := range order {
		n := 0
		for _, m := range append([]*Report{r}, r.Machines...) {
			for _, f := range m.Findings {
				if f.Severity == s {
					n++
				}
			}
		}
		counts = append(counts, count{s, n})
	}
	if err := page.Execute(w, map[string]any{"R": r, "Counts": counts}); err != nil {
		return fmt.Errorf("write the summary page: %w", err)
	}
	return nil
}
