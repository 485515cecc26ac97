package agent

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/policy/seal"
	"github.com/latchstring/latchstring/core/session"
)

// policyEvery is how often the files of the policy are looked at. An edit
// counts within it, and what it forbids is cut then.
const policyEvery = 250 * time.Millisecond

// watchPolicy loads the policy anew when its files, the switch or the seal
// change.
func (a *Agent) watchPolicy(ctx context.Context) {
	t := time.NewTicker(policyEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			a.refreshPolicy()
		}
	}
}

// refreshPolicy loads the policy anew if its files have changed.
func (a *Agent) refreshPolicy() {
	a.loading.Lock()
	same := a.policyPrint() == a.loaded
	a.loading.Unlock()
	if same {
		return
	}
	if _, err := a.reload("agent", true); err != nil {
		a.opts.Log.Error("the policy does not load, so what it guards is refused", "error", firstLine(err.Error()))
	}
}

func (a *Agent) policyPrint() uint64 { return policyPrint(a.root.Policies(), a.policyFiles()...) }

// policyFiles are those beside the directory of policies that bear on it.
func (a *Agent) policyFiles() []string {
	return append(seal.Places(a.root), policy.EffectivePath(a.root), a.root.Etc("policy_signers"))
}

// policyPrint changes when one of the files does: by name, size, time or inode.
func policyPrint(dir string, files ...string) uint64 {
	h := fnv.New64a()
	add := func(path string) {
		info, err := os.Stat(path)
		if err != nil {
			fmt.Fprintf(h, "%s %T\n", path, errors.Unwrap(err))
			return
		}
		fmt.Fprintf(h, "%s %d %d %s %v\n", path, info.Size(), info.ModTime().UnixNano(), info.Mode(), inode(info))
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		fmt.Fprintf(h, "%s %T\n", dir, errors.Unwrap(err))
	}
	for _, e := range entries {
		add(filepath.Join(dir, e.Name()))
	}
	for _, f := range files {
		add(f)
	}
	return h.Sum64()
}

func inode(info os.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// recheck asks policy again about everything that runs, and cuts what it no
// longer allows. It does not wait for the end of what it cuts.
func (r *remote) recheck() {
	l := r.current()
	if l == nil {
		return
	}
	d := r.a.Decide(policy.SessionOpen, l.askedAgain())
	if err := d.Err(); err != nil {
		go l.end(session.Cut, firstLine(err.Error()))
		return
	}
	if err := r.stillCarried(l); err != nil {
		go l.end(session.Cut, firstLine(err.Error()))
		return
	}
	l.shorten(d.Limits)
	l.mu.Lock()
	all := make([]*conn, 0, len(l.conns))
	for _, c := range l.conns {
		all = append(all, c)
	}
	l.mu.Unlock()
	for _, c := range all {
		if err := c.stillAllowed(); err != nil {
			go c.end("agent", firstLine(err.Error()))
		}
	}
}

// stillCarried asks policy about the plugin that carries the session: what runs
// already was judged when it was started.
func (r *remote) stillCarried(l *live) error {
	if r.a.opts.transport != nil {
		return nil // a test without plugins
	}
	return r.a.host.TransportAllowed(r.ctx, l.route.Transport, "session")
}

// askedAgain are the facts of the opening, without its length: how long it still
// may be is a matter of limits.
func (l *live) askedAgain() policy.Facts {
	f := policy.Facts{}
	for k, v := range l.facts {
		f[k] = v
	}
	f[policy.Duration] = "0s"
	return f
}

// shorten draws the end near when policy allows less than it did.
func (l *live) shorten(limits policy.Limits) {
	now := l.machine.Now()
	most := limits.MaxDuration
	if !limits.Until.IsZero() {
		if left := max(limits.Until.Sub(now.Since), time.Nanosecond); most == 0 || left < most {
			most = left
		}
	}
	if most == 0 || now.Length != 0 && now.Length <= most+time.Second {
		return
	}
	if err := l.machine.SetLength(most); err != nil {
		go l.end(session.Cut, "policy allows less than it did, and that could not be written down: "+err.Error())
		return
	}
	l.tellRelay()
	left, _ := l.machine.Left()
	l.event(audit.SessionShortened, "agent", l.id, "length", most.Round(time.Second).String(), "left", left.Round(time.Second).String())
	l.warn(fmt.Sprintf("Policy has changed: this session ends in %s.", left.Round(time.Second)))
	l.remote.checkClocks() // it may be over already
}
