package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// page is what every page is drawn from.
type page struct {
	Title string
	Host  string
	User  *control.Ticket
	Flash []message
	Data  any

	Refresh      string // an address to go to
	RefreshAfter int    // seconds
}

var pages = parse()

func parse() map[string]*template.Template {
	funcs := template.FuncMap{
		"clock":    func(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") },
		"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"sentence": sentence,
		"join":     func(s []string) string { return strings.Join(s, ", ") },
		"size":     size,
		"count":    count,
		"took":     took,
		"lasted":   func(d time.Duration) string { return d.Round(time.Second).String() },
		"plain":    printable,
		"refresh":  func(after int, to string) string { return strings.Join([]string{itoa(after), "; url=", to}, "") },
	}
	base := template.Must(template.New("").Funcs(funcs).ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	out := map[string]*template.Template{}
	names, err := fs.Glob(templateFiles, "templates/page_*.html")
	if err != nil {
		panic(err)
	}
	for _, n := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(path.Base(n), "page_"), ".html")
		out[name] = template.Must(template.Must(base.Clone()).ParseFS(templateFiles, n))
	}
	return out
}

// render draws a page whole, before a byte of it is sent.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, name string, p *page) {
	s.draw(w, r, status, name, "layout", p)
}

func (s *Server) draw(w http.ResponseWriter, r *http.Request, status int, name, part string, p *page) {
	p.Host = s.opts.Name
	var b bytes.Buffer
	if err := pages[name].ExecuteTemplate(&b, part, p); err != nil {
		s.opts.Log.Error("draw a page", "page", name, "err", err)
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b.Bytes()) //nolint:errcheck // the browser is gone then
	}
}

// fail is a page that says what is wrong.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, text string) {
	s.render(w, r, status, "failed", &page{Title: http.StatusText(status), Flash: []message{{Kind: "error", Text: text}}})
}

// static serves the files of the pages.
func static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if name == "" {
		name = "icon.svg"
	}
	b, err := staticFiles.ReadFile("static/" + name)
	if err != nil || strings.ContainsAny(name, "/\\") {
		http.NotFound(w, r)
		return
	}
	kind := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}[path.Ext(name)]
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(b) //nolint:errcheck // the browser is gone then
}
