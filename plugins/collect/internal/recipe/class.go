package recipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/latchstring/latchstring/sdk/collect"
)

// Class is a folder with a folder for each device, as sysfs has them, and the
// attributes of the devices that are read: one text of lines
// "device/attribute: value", sorted.
type Class struct {
	Name string // of the item
	Dir  string // /sys/class/fc_host
	Attr []string
	// Only takes the devices whose names begin so; empty takes all.
	Only string
}

// maxAttr bounds the value of one attribute in bytes; sysfs writes at most a
// page.
const maxAttr = 4 << 10

func (c Class) collect(ctx context.Context, sink collect.Sink) error {
	text, err := c.text(ctx, sink)
	return Write(sink, collect.Item{Name: c.Name, Source: c.Dir}, text, err)
}

// Opener opens files and folders; a sink is one.
type Opener interface {
	Open(path string) (*os.File, error)
}

// text reads the attributes of all devices. An attribute that a device does
// not have, or cannot tell now, is left out.
func (c Class) text(ctx context.Context, o Opener) ([]byte, error) {
	names, err := Names(o, c.Dir)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	devices := 0
	for _, dev := range names {
		if !strings.HasPrefix(dev, c.Only) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		devices++
		for _, attr := range c.Attr {
			if v, err := Read(o, path.Join(c.Dir, dev, attr), maxAttr); err == nil {
				for line := range strings.Lines(strings.TrimSpace(v)) {
					fmt.Fprintf(&buf, "%s/%s: %s\n", dev, attr, strings.TrimRight(line, "\n"))
				}
			} else if errors.Is(err, fs.ErrPermission) {
				fmt.Fprintf(&buf, "%s/%s: (not readable)\n", dev, attr)
			}
		}
	}
	if devices == 0 {
		return nil, fmt.Errorf("no device in %s: %w", c.Dir, fs.ErrNotExist)
	}
	return buf.Bytes(), nil
}

// Names lists a folder, sorted.
func Names(o Opener, dir string) ([]string, error) {
	f, err := o.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("%s: not a folder: %w", dir, fs.ErrNotExist)
	}
	slices.Sort(names)
	return names, err
}

// Read reads the first max bytes of a file.
func Read(o Opener, p string, max int64) (string, error) {
	f, err := o.Open(p)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, max))
	return string(data), err
}
