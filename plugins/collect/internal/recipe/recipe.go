package recipe

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Short is the time that a command may take unless it says otherwise.
const Short = 15 * time.Second

// File is a text that is there under a fixed path.
type File struct {
	Name, Path string
	Config     bool // configuration, see [collect.Item]
	Root       bool // only root can read it
}

// Command is a program whose output is an item.
type Command struct {
	Name    string
	Argv    []string
	Timeout time.Duration // 0 means Short
	Config  bool
	Root    bool // tells little or nothing without root

	// If are paths of which one must exist for the command to make sense;
	// Why is what the item's absence is put down to otherwise. No If means
	// always.
	If  []string
	Why string
}

// List is what a collector takes. The zero List takes nothing.
type List struct {
	Files    []File
	Classes  []Class
	Commands []Command
	Paths    []string // more that is read, for the declaration
}

// Needs declares what is read and run.
func (l List) Needs() needs.List {
	out := needs.List{Paths: append([]string(nil), l.Paths...)}
	for _, f := range l.Files {
		if !out.Path(f.Path) {
			out.Paths = append(out.Paths, f.Path)
		}
		// Where it leads has the number of the process.
		if rest, ok := strings.CutPrefix(f.Path, "/proc/self/"); ok {
			out.Paths = append(out.Paths, "/proc/*/"+rest)
		}
	}
	for _, c := range l.Classes {
		if tree := c.Dir + "/**"; !out.Path(c.Dir + "/x") {
			out.Paths = append(out.Paths, tree)
		}
	}
	for _, c := range l.Commands {
		out.Commands = append(out.Commands, c.Argv)
	}
	return out
}

// Plan lists the items that this machine has.
func (l List) Plan() []collect.Planned {
	var out []collect.Planned
	for _, f := range l.Files {
		if Exists(f.Path) {
			out = append(out, collect.Planned{Name: f.Name, Source: f.Path, Size: -1, Config: f.Config, NeedsRoot: f.Root})
		}
	}
	for _, c := range l.Classes {
		if Exists(c.Dir) {
			out = append(out, collect.Planned{Name: c.Name, Source: c.Dir, Size: -1})
		}
	}
	for _, c := range l.Commands {
		if Installed(c.Argv[0]) && c.wanted() {
			out = append(out, collect.Planned{Name: c.Name, Source: strings.Join(c.Argv, " "), Size: -1, Config: c.Config, NeedsRoot: c.Root})
		}
	}
	return out
}

// Collect hands everything over, one after the other.
func (l List) Collect(ctx context.Context, sink collect.Sink) error {
	for _, f := range l.Files {
		if err := sink.Path(collect.Item{Name: f.Name, Config: f.Config}, f.Path); err != nil {
			return err
		}
	}
	for _, c := range l.Classes {
		if err := c.collect(ctx, sink); err != nil {
			return err
		}
	}
	for _, c := range l.Commands {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.Run(sink); err != nil {
			return err
		}
	}
	return nil
}

// Run hands over what the command writes.
func (c Command) Run(sink collect.Sink) error {
	it := collect.Item{Name: c.Name, Source: strings.Join(c.Argv, " "), Config: c.Config, Timeout: cmp.Or(c.Timeout, Short)}
	if !c.wanted() {
		return sink.Absent(it, cmp.Or(c.Why, "there is no "+strings.Join(c.If, " nor ")))
	}
	return sink.Command(it, c.Argv...)
}

func (c Command) wanted() bool {
	for _, p := range c.If {
		if Exists(p) {
			return true
		}
	}
	return len(c.If) == 0
}

// Exists reports whether there is something under that path.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}

// Installed reports whether the host would find a program of that name.
func Installed(name string) bool {
	if strings.HasPrefix(name, "/") {
		return Exists(name)
	}
	for _, dir := range []string{"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"} {
		if Exists(dir + name) {
			return true
		}
	}
	return false
}

// Write hands over what a function makes, or its failure. An error that is
// fs.ErrNotExist makes the item absent.
func Write(sink collect.Sink, it collect.Item, data []byte, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return sink.Absent(it, err.Error())
	}
	if err != nil {
		return sink.Failed(it, err)
	}
	it.Size = int64(len(data))
	s, err := sink.Stream(it)
	if err != nil {
		return err
	}
	_, err = s.Write(data)
	return s.CloseWithError(err)
}
