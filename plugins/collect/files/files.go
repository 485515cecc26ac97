package files

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/latchstring/latchstring/plugins/collect/filetree"
	"github.com/latchstring/latchstring/sdk/collect"
)

// Name is the collector's folder in the bundle.
const Name = "files"

type settings struct {
	MaxFile int64 `config:"max_file" default:"268435456" help:"bytes kept of one file, its end"`
}

// Collector is the collector.
type Collector struct{ settings settings }

// New makes the collector.
func New() *Collector { return &Collector{} }

// Config is where the host's settings go.
func (c *Collector) Config() any { return &c.settings }

// configEndings are those of files that are read by programs at their start.
var configEndings = []string{".conf", ".cfg", ".cnf", ".cf", ".ini", ".env", ".yaml", ".yml", ".json", ".toml", ".xml", ".properties", ".hcl", ".tf", ".service", ".sh", ".rc", ".pem", ".key"}

// isConfig guesses whether a file is configuration: its secrets are then
// removed from everything that is read after it.
func isConfig(e filetree.Entry) bool {
	if e.Size > 4<<20 {
		return false
	}
	name := strings.ToLower(path.Base(e.Path))
	return slices.Contains(configEndings, path.Ext(name)) || strings.HasPrefix(name, ".env") || strings.Contains(e.Path, "/etc/")
}

func (c *Collector) find(ctx context.Context, o filetree.Opener, req collect.Request) ([]filetree.Entry, error) {
	var paths []string
	for _, p := range req.Include {
		if !path.IsAbs(p) || path.Clean(p) != p {
			return nil, fmt.Errorf("include %q: want a clean absolute path", p)
		}
		paths = append(paths, literal(p), path.Join(literal(p), "**"))
	}
	found, err := filetree.Find(ctx, o, filetree.Options{Paths: paths})
	slices.SortStableFunc(found, func(a, b filetree.Entry) int {
		ca, cb := isConfig(a), isConfig(b)
		switch {
		case ca == cb:
			return strings.Compare(a.Path, b.Path)
		case ca:
			return -1
		}
		return 1
	})
	return found, err
}

// literal makes a pattern that matches the path and nothing else.
func literal(p string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(p)
}

// Plan lists the files.
func (c *Collector) Plan(ctx context.Context, req collect.Request) ([]collect.Planned, error) {
	found, err := c.find(ctx, filetree.Direct{}, req)
	return filetree.Plan(found, isConfig), err
}

// Collect hands over the files, what looks like configuration first.
func (c *Collector) Collect(ctx context.Context, req collect.Request, sink collect.Sink) error {
	if len(req.Include) == 0 {
		return sink.Absent(collect.Item{Name: "index.txt"}, "the user has named no files")
	}
	found, err := c.find(ctx, sink, req)
	if err != nil {
		sink.Note("%v", err)
	}
	for _, p := range req.Include {
		if _, err := os.Lstat(p); os.IsNotExist(err) {
			if err := sink.Absent(collect.Item{Name: collect.NameOf(p), Source: p}, "no such file or folder"); err != nil {
				return err
			}
		}
	}
	h := filetree.Hander{Sink: sink, MaxFile: c.settings.MaxFile, Config: isConfig}
	for _, e := range found {
		if !e.Mode.IsRegular() && e.Err == nil {
			continue
		}
		if err := h.Hand(e); err != nil {
			return err
		}
	}
	return filetree.Index(sink, "index.txt", "listing of what was included", found, func(filetree.Entry) string { return "" })
}
