package corpus

import (
	"bufio"
	"io"
	"math/rand/v2"
	"time"
)

// Secret is one that the corpus holds.
type Secret struct {
	Line  int64  `json:"line"` // counted from 1
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// Options change what a [Generator] writes. The zero value is the corpus that
// the figures of this project are measured on.
type Options struct {
	Seed uint64
	// LinesPerSecret is the mean distance of two secrets in lines; 0 means
	// 1000, a negative number none at all.
	LinesPerSecret int
}

// Generator writes a corpus.
type Generator struct {
	r       *rand.Rand
	now     time.Time
	hosts   []string
	users   []string
	subnets [][3]byte
	every   int
	buf     []byte
	line    int64
	truth   []Secret
}

const (
	blockLines   = 400 // lines of one kind in a row, about
	defaultEvery = 1000
)

// New returns a generator.
func New(o Options) *Generator {
	g := &Generator{
		r:     rand.New(rand.NewPCG(o.Seed, 0x6c61746368)),
		now:   time.Date(2026, 1, 12, 6, 25, 43, 0, time.UTC),
		every: o.LinesPerSecret,
	}
	if g.every == 0 {
		g.every = defaultEvery
	}
	g.people()
	return g
}

// Write writes whole lines until at least size bytes are written, and returns
// the secrets among them.
func (g *Generator) Write(w io.Writer, size int64) ([]Secret, error) {
	bw := bufio.NewWriterSize(w, 1<<20)
	g.truth = nil
	var written int64
	for kind := g.r.IntN(len(kinds)); written < size; kind = (kind + 1) % len(kinds) {
		for n := blockLines/2 + g.r.IntN(blockLines); n > 0 && written < size; n-- {
			g.buf = g.buf[:0]
			if g.every > 0 && g.r.IntN(g.every) == 0 {
				g.leak()
			} else {
				kinds[kind].make(g)
			}
			for _, b := range g.buf {
				if b == '\n' {
					g.line++
				}
			}
			if _, err := bw.Write(g.buf); err != nil {
				return nil, err
			}
			written += int64(len(g.buf))
		}
	}
	return g.truth, bw.Flush()
}

// kinds are the kinds of files, each with what makes its next line or lines.
var kinds = []struct {
	name string
	make func(*Generator)
}{
	{"sshd", (*Generator).sshd},
	{"nginx", (*Generator).nginx},
	{"java", (*Generator).java},
	{"kernel", (*Generator).kernel},
	{"sudo", (*Generator).sudo},
	{"postgres", (*Generator).postgres},
	{"kubernetes", (*Generator).kubernetes},
	{"array", (*Generator).array},
	{"systemd", (*Generator).systemd},
	{"cron", (*Generator).cron},
	{"logfmt", (*Generator).logfmt},
	{"apache", (*Generator).apache},
	{"dhcpd", (*Generator).dhcpd},
	{"mail", (*Generator).mail},
	{"mysql", (*Generator).mysql},
	{"audit", (*Generator).audit},
	{"cloudinit", (*Generator).cloudInit},
	{"haproxy", (*Generator).haproxy},
	{"kubelet", (*Generator).kubelet},
	{"multipath", (*Generator).multipath},
	{"ps", (*Generator).ps},
	{"yaml", (*Generator).yaml},
	{"ini", (*Generator).ini},
	{"config", (*Generator).jsonConfig},
}

// Kinds returns the names of the kinds of files.
func Kinds() []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = k.name
	}
	return out
}
