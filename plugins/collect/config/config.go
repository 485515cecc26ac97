package config

import (
	"context"
	"slices"

	"github.com/latchstring/latchstring/plugins/collect/filetree"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "config"

type settings struct {
	Paths   []string `config:"paths" default:"/etc/**,/usr/local/etc/**,/opt/*/etc/**,/opt/*/conf/**" help:"patterns of files; a last ** stands for everything below"`
	Exclude []string `config:"exclude" default:"/etc/shadow,/etc/shadow-,/etc/gshadow,/etc/gshadow-,/etc/ssl/certs/**,/etc/ssl/private/**,/etc/ca-certificates/**,/etc/pki/ca-trust/**,/etc/ssh/ssh_host_*_key,/etc/ssh/moduli,/etc/ld.so.cache,/etc/alternatives/**,/etc/machine-id,/etc/latchstring/**,/etc/.pwd.lock,/etc/dictionaries-common/**,/etc/selinux/*/policy/**,/etc/udev/hwdb.bin,*.so,*.pyc,*~" help:"patterns of files and folders that are left out; one without a slash goes for names"`
	MaxFile int64    `config:"max_file" default:"1048576" help:"bytes kept of one file"`
}

// Collector is the collector.
type Collector struct{ settings settings }

// New makes the collector.
func New() *Collector { return &Collector{} }

// Config is where the host's settings go.
func (c *Collector) Config() any { return &c.settings }

// Needs declares what is read.
func (c *Collector) Needs() needs.List {
	return needs.List{Paths: []string{"/etc/**", "/usr/local/etc/**", "/opt/*/etc/**", "/opt/*/conf/**"}}
}

func (c *Collector) find(ctx context.Context, o filetree.Opener) ([]filetree.Entry, error) {
	return filetree.Find(ctx, o, filetree.Options{Paths: c.settings.Paths, Exclude: c.settings.Exclude})
}

// Plan lists the files that are there.
func (c *Collector) Plan(ctx context.Context, _ collect.Request) ([]collect.Planned, error) {
	found, err := c.find(ctx, filetree.Direct{})
	return filetree.Plan(found, func(filetree.Entry) bool { return true }), err
}

// Collect hands over an index and every text file.
func (c *Collector) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	found, err := c.find(ctx, sink)
	if err != nil {
		sink.Note("%v", err)
	}
	found = slices.Clip(found)
	h := filetree.Hander{Sink: sink, MaxFile: c.settings.MaxFile, Head: true, Config: func(filetree.Entry) bool { return true }}
	for _, e := range found {
		if !e.Mode.IsRegular() && e.Err == nil {
			continue
		}
		if err := h.Hand(e); err != nil {
			return err
		}
	}
	return filetree.Index(sink, "index.txt", "listing of "+Name, found, func(filetree.Entry) string { return "" })
}
