package bundler

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/host/overssh"
	"github.com/latchstring/latchstring/core/sanitize"
	"github.com/latchstring/latchstring/core/sanitize/discover"
)

// How machines are gathered.
const (
	gatherAtOnce = 8
	gatherMagic  = "latchstring-gather-1 " // begins the answer's line, behind what a shell may print
	gatherNoise  = 256 << 10
	gatherGrace  = 2 * time.Minute // beyond the deadline of collecting: to pack, check and send
	maxGathered  = 8 << 30
	maxTold      = 64 << 20 // bytes of names
)

// order is what a machine is told, over stdin: it holds the pseudonym key.
type order struct {
	Version      int            `json:"v"`
	Key          string         `json:"key,omitempty"` // hex; none: no pseudonyms
	Names        sanitize.Names `json:"names"`
	Only         []string       `json:"only,omitempty"`
	Skip         []string       `json:"skip,omitempty"`
	Include      []string       `json:"include,omitempty"`
	Words        []string       `json:"words,omitempty"`
	Since        time.Time      `json:"since,omitzero"`
	MaxBytes     int64          `json:"max_bytes,omitempty"`
	DeadlineMS   int64          `json:"deadline_ms,omitempty"`
	NoPseudonyms bool           `json:"no_pseudonyms,omitempty"`
	RandomIPs    bool           `json:"random_ips,omitempty"`
}

// answered is the line before the bytes of a bundle. After them come the
// names that got a pseudonym there, as JSON, so that they can be turned back
// where the key is.
type answered struct {
	Size  int64 `json:"size"`
	Names int64 `json:"names"` // bytes of the JSON behind the bundle
}

type named struct {
	Token    string `json:"t"`
	Original string `json:"o"`
}

// completeMachines checks the destinations.
func (r *Request) completeMachines() error {
	for i, d := range r.On {
		if err := overssh.Check(d); err != nil {
			return usagef("--on: %v", err)
		}
		if slices.Contains(r.On[:i], d) {
			return usagef("--on %s is named twice", d)
		}
		host := overssh.Host(d)
		if _, err := netip.ParseAddr(host); err != nil {
			r.names.Hosts = append(r.names.Hosts, host)
		}
	}
	if len(r.On) > 0 && r.Asked != nil {
		return usagef("--request and --on do not go together: a request names one system")
	}
	return nil
}

// far is the machines that are being gathered.
type far struct {
	results []*gathered
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

type gathered struct {
	destination string
	file        *os.File // has no name any more
	size        int64
	names       []named
	err         error
}

// startMachines sets all machines to work, while this one collects itself.
func (r *Run) startMachines(ctx context.Context) *far {
	f := &far{}
	deadline := bundle.DefaultLimits.Deadline
	if r.req.Deadline > 0 {
		deadline = r.req.Deadline
	}
	ctx, f.cancel = context.WithTimeoutCause(ctx, deadline+gatherGrace, errors.New("it did not answer in time"))
	if len(r.req.On) == 0 {
		return f
	}
	input, err := r.order()
	slots := make(chan struct{}, gatherAtOnce)
	for _, d := range r.req.On {
		g := &gathered{destination: d, err: err}
		f.results = append(f.results, g)
		if err != nil {
			continue
		}
		f.wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			g.fetch(ctx, r, input, false)
		})
	}
	return f
}

func (f *far) stop() {
	f.cancel()
	f.wg.Wait()
	for _, g := range f.results {
		if g.file != nil {
			g.file.Close()
		}
	}
}

func (r *Run) order() ([]byte, error) {
	q := &r.req
	o := order{Version: 1, Only: q.Only, Skip: q.Skip, Include: q.Include, Words: r.engine.words, Since: q.Since, MaxBytes: q.MaxBytes,
		DeadlineMS: q.Deadline.Milliseconds(), NoPseudonyms: q.NoPseudonyms, RandomIPs: q.RandomIPs || r.b.p.Policy.RandomIPs()}
	if !q.NoPseudonyms {
		key, err := sanitize.LoadKey(KeyPath(r.b.p.Root))
		if err != nil {
			return nil, err
		}
		o.Key = hex.EncodeToString(key[:])
		n := discover.Find(discover.Options{})
		o.Names = sanitize.Names{Hosts: slices.Concat(n.Hosts, q.names.Hosts), Domains: n.Domains, Users: n.Users}
	}
	line, err := json.Marshal(o)
	return append(line, '\n'), err
}

// fetch gets the bundle of one machine.
func (g *gathered) fetch(ctx context.Context, r *Run, input []byte, askUser bool) {
	program := r.req.OnRun
	if program == "" {
		program = "send-bundle"
	}
	t := overssh.Target{Destination: g.destination, Command: program + " gather", Ask: askUser}
	g.err = overssh.Run(ctx, t, input, func(out io.Reader) error { return g.read(r, out) })
	var no *overssh.Error
	if errors.As(g.err, &no) && no.ExitCode == 127 {
		g.err = fmt.Errorf("%w; send-bundle must be installed there, or named with --on-run", g.err)
	}
}

func (g *gathered) read(r *Run, out io.Reader) error {
	br := bufio.NewReaderSize(out, 64<<10)
	var head answered
	for noise := 0; ; {
		line, err := br.ReadSlice('\n')
		if noise += len(line); err != nil && !errors.Is(err, bufio.ErrBufferFull) || noise > gatherNoise {
			return errors.New("it sent no bundle")
		}
		if rest, ok := bytes.CutPrefix(line, []byte(gatherMagic)); ok {
			if err := json.Unmarshal(rest, &head); err != nil {
				return fmt.Errorf("its answer cannot be read: %w", err)
			}
			break
		}
	}
	if head.Size <= 0 || head.Size > maxGathered || head.Names < 0 || head.Names > maxTold {
		return fmt.Errorf("it announces a bundle of %d bytes", head.Size)
	}
	dir := r.b.p.Root.Var("spool")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".far-*")
	if err != nil {
		return err
	}
	os.Remove(f.Name())
	if _, err := io.CopyN(f, br, head.Size); err != nil {
		f.Close()
		return fmt.Errorf("its bundle broke off: %w", err)
	}
	told, err := io.ReadAll(io.LimitReader(br, head.Names))
	if err == nil && int64(len(told)) < head.Names {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && len(told) > 0 {
		err = json.Unmarshal(told, &g.names)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("its names cannot be read: %w", err)
	}
	g.file, g.size = f, head.Size
	return nil
}

// gather takes what the machines have sent into the bundle. A machine that
// failed is named in the manifest and costs the others nothing.
func (r *Run) gather(ctx context.Context, f *far) error {
	f.wg.Wait()
	names := map[string]int{}
	for _, g := range f.results {
		var unreached *overssh.Error
		if errors.As(g.err, &unreached) && unreached.Unreached() && r.req.AskUser && ctx.Err() == nil {
			// One after the other, now that ssh may ask for a password.
			if input, err := r.order(); err == nil {
				g.fetch(ctx, r, input, true)
			}
		}
		name := r.machineName(g.destination, names)
		if err := r.adopt(ctx, name, g); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) adopt(ctx context.Context, name string, g *gathered) error {
	fail := func(err error) error {
		r.draft.Fail(name, brief(err.Error()))
		if r.req.OnFailed != nil {
			r.req.OnFailed(g.destination, err)
		}
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if g.err != nil {
		return fail(g.err)
	}
	b, err := bundle.OpenReaderAt(g.destination, g.file, g.size, bundle.OpenOptions{})
	if err != nil {
		return fail(err)
	}
	defer b.Close()
	if b.Encrypted {
		return fail(errors.New("its bundle is encrypted"))
	}
	if r.engine.book != nil {
		for _, n := range g.names {
			r.engine.book.Record(n.Token, n.Original)
		}
	}
	before := len(r.draft.Machines())
	if err := r.draft.Adopt(ctx, name, b); err != nil {
		return err
	}
	if all := r.draft.Machines(); r.req.OnFailed != nil && len(all) > before && all[before].Error != "" {
		r.req.OnFailed(g.destination, errors.New(all[before].Error))
	}
	return nil
}

// machineName is the folder of a machine: its pseudonym, or its name.
func (r *Run) machineName(destination string, used map[string]int) string {
	host := overssh.Host(destination)
	name := host
	if _, err := netip.ParseAddr(host); err == nil {
		name = r.engine.Name(host)
	} else if !r.req.NoPseudonyms {
		name = r.engine.Host(host)
	}
	name = strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
			return c
		}
		return '-'
	}, name), ".-")
	if name == "" {
		name = "machine"
	}
	name = name[:min(len(name), 100)]
	if used[name]++; used[name] > 1 {
		name = fmt.Sprintf("%s~%d", name, used[name])
	}
	return name
}

func brief(s string) string {
	if s = firstLine(s); len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "..."
	}
	return s
}

// Gather is the far end: it reads an order from in, makes a bundle in clear
// and writes it to out. The end of in ends the run: nobody waits for it then.
func (b *Bundler) Gather(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	br := bufio.NewReaderSize(in, 64<<10)
	line, err := readLine(br, 16<<20)
	var o order
	if err == nil {
		err = json.Unmarshal(line, &o)
	}
	if err != nil || o.Version != 1 {
		return usagef("gather is what `send-bundle --on` runs on other machines; it reads an order of version 1 from standard input")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		io.Copy(io.Discard, br)
		cancel(errors.New("the machine that gathers is gone"))
	}()
	dir := b.p.Root.Var("spool")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, "gather-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	var told teller
	req := Request{Only: o.Only, Skip: o.Skip, Include: o.Include, Words: o.Words, Since: o.Since, MaxBytes: o.MaxBytes,
		Deadline: time.Duration(o.DeadlineMS) * time.Millisecond, NoPseudonyms: o.NoPseudonyms, RandomIPs: o.RandomIPs, Output: filepath.Join(tmp, "bundle"), NoEncrypt: true,
		names: o.Names, record: told.record}
	if !o.NoPseudonyms {
		var key sanitize.Key
		if n, err := hex.Decode(key[:], []byte(o.Key)); err != nil || n != len(key) {
			return usagef("gather: the order has no pseudonym key")
		}
		req.key = &key
	}
	run, err := b.Collect(ctx, req)
	if err != nil {
		return err
	}
	defer run.Close()
	made, err := run.Finish(ctx)
	if err != nil {
		return err
	}
	names, err := told.json()
	if err != nil {
		return err
	}
	f, err := os.Open(made.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	head, err := json.Marshal(answered{Size: made.Size, Names: int64(len(names))})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%s%s\n", gatherMagic, head); err != nil {
		return fmt.Errorf("hand the bundle over: %w", err)
	}
	if _, err := io.Copy(out, io.MultiReader(f, bytes.NewReader(names))); err != nil {
		return fmt.Errorf("hand the bundle over: %w", err)
	}
	return nil
}

func readLine(br *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		if line = append(line, part...); len(line) > most {
			return nil, errors.New("line too long")
		}
		if err == nil || !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// teller remembers which names got a pseudonym.
type teller struct {
	mu  sync.Mutex
	all map[named]struct{}
}

func (t *teller) record(token, original string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = map[named]struct{}{}
	}
	if len(t.all) < 500_000 {
		t.all[named{token, original}] = struct{}{}
	}
}

func (t *teller) json() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]named, 0, len(t.all))
	for n := range t.all {
		list = append(list, n)
	}
	return json.Marshal(list)
}
