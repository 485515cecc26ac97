package host

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/testdata/until"
)

// wish is the configuration of the hostile collectors.
type wish struct {
	Paths []string   `json:"paths"`
	Runs  [][]string `json:"runs"`
}

func (b *bench) collector(t testing.TB, name string, w wish) *Collector {
	t.Helper()
	c, err := b.Collector(name, Use{Config: config(t, w)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// got is an item as the tests look at it.
type got struct {
	Item
	content string
	end     End
	endErr  error
}

func collect(t testing.TB, c *Collector, req Request) (map[string]got, []string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	items, notes := map[string]got{}, []string(nil)
	err := c.Collect(ctx, req, func(i *Item) error {
		if i.Status == Note {
			notes = append(notes, i.Reason)
			return nil
		}
		g := got{Item: *i}
		if i.File != nil {
			data, err := io.ReadAll(i.File)
			if err != nil {
				return err
			}
			g.content = string(data)
		}
		g.end, g.endErr = i.End(ctx)
		items[i.Name] = g
		return nil
	})
	return items, notes, err
}

func TestCollect(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Timeouts.Command = time.Second })
	c := b.collector(t, "good", wish{Runs: [][]string{
		{"echo", "a", "b"},
		{"sh", "-c", `echo "$PATH|$LC_ALL|$HOST_TEST_CANARY"; cat; echo oops >&2; exit 4`},
		{"sh", "-c", "sleep 100 & echo started; sleep 100"},
		{"sh", "-c", "kill -9 $$"},
		{"cat", "/etc/shadow"},
	}})
	t.Setenv("HOST_TEST_CANARY", "from the host")
	start := time.Now()
	items, notes, err := collect(t, c, Request{})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("took %s, though commands may take a second", took)
	}
	if i := items["facts/stream.txt"]; i.content != "streamed" || !i.Config || i.Size != -1 || !i.end.Truncated || i.end.Reason != "enough" {
		t.Errorf("stream: %+v", i)
	}
	if i := items["gone"]; i.Status != Absent || i.Reason != "not here" {
		t.Errorf("absent: %+v", i)
	}
	if i := items["run-0"]; i.content != "a b\n" || i.end.ExitCode != 0 || i.Source != "echo" {
		t.Errorf("echo: %+v", i)
	}
	if i := items["run-1"]; i.content != "/usr/sbin:/usr/bin:/sbin:/bin|C|\n" || i.end.ExitCode != 4 || i.end.Reason != "oops" {
		t.Errorf("clean environment: %+v", i)
	}
	if i := items["run-2"]; i.content != "started\n" || !i.end.Truncated || i.end.ExitCode != 128+9 {
		t.Errorf("time-out: %+v", i)
	}
	if i := items["run-3"]; i.end.ExitCode != 128+9 || i.end.Truncated {
		t.Errorf("killed: %+v", i)
	}
	if len(notes) != 1 || !strings.Contains(notes[0], "refused: the plugin has not declared") {
		t.Errorf("undeclared command: %q", notes)
	}
}

// REQ I1: the broker opens what is declared and allowed, and nothing else.
func TestBroker(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "latchstring-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	secret := write("secret.log", "root only")
	denied := write("denied.log", "policy")
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	link, inner := filepath.Join(dir, "link"), filepath.Join(dir, "inner")
	os.Symlink("/etc/shadow", link)
	os.Symlink("secret.log", inner)
	extra := filepath.Join(t.TempDir(), "extra.txt")
	if err := os.WriteFile(extra, []byte("asked for"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.policy.deny = func(a policy.Action, f policy.Facts) string {
		if a == policy.HostOpen && f[policy.Path] == denied {
			return "not this one"
		}
		if a == policy.HostRun && f[policy.Command] == "/bin/sleep 1" {
			return "no sleeping"
		}
		return ""
	}
	tests := []struct{ path, want string }{
		{secret, `opened "" "root only"`},
		{inner, `opened "` + secret + `" "root only"`},
		{dir, `opened "" "" 5 `},
		{extra, `opened "" "asked for"`},
		{"/etc/shadow", "has not declared that it needs it"},
		{link, "leads to /etc/shadow, which the plugin has not declared"},
		{dir + "/../../etc/shadow", "no clean absolute path"},
		{dir + "/x/../secret.log", "no clean absolute path"},
		{"etc/shadow", "no clean absolute path"},
		{"", "no clean absolute path"},
		{fifo, "neither a file nor a directory"},
		{filepath.Join(dir, "missing"), "no such file or directory"},
		{denied, "refused by policy: not this one (test = deny at test.hcl:3,1)"},
		{"/proc/self/environ", "/environ, which the plugin has not declared"},
		{"/etc", `opened "" "" `},
		{"/root", "has not declared"},
		{"/srv", "has not declared"},
	}
	var w wish
	for _, tt := range tests {
		w.Paths = append(w.Paths, tt.path)
	}
	w.Runs = [][]string{{"/bin/sleep", "1"}, {"/bin/sleep", "1", "2"}, {"echo"}, {"sh", "-c"}, {"sh"}, {"sh", "-c", "nosuch"}, {}}
	c := b.collector(t, "ask", w)
	_, notes, err := collect(t, c, Request{Include: []string{extra}})
	if err != nil {
		t.Fatal(err)
	}
	if len(notes) != len(w.Paths)+len(w.Runs) {
		t.Fatalf("%d answers: %q", len(notes), notes)
	}
	for i, tt := range tests {
		if !strings.Contains(notes[i], tt.want) {
			t.Errorf("%s: answered %s\nwant %s", tt.path, notes[i], tt.want)
		}
	}
	runs := notes[len(w.Paths):]
	for i, want := range []string{"no sleeping", "not declared", "<nil>", "<nil>", "not declared", "<nil>", "not declared"} {
		if !strings.Contains(runs[i], want) {
			t.Errorf("run %q: answered %s, want %s", w.Runs[i], runs[i], want)
		}
	}
	if b.audit.has(audit.PluginRefused, "collect/ask") == nil {
		t.Error("the refusals were not recorded")
	}
}

// A reader that is slower than the command loses nothing of its output.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	r, out, err := startCommand("/bin/sh", []string{"sh", "-c", "head -c 300000 /dev/zero"}, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	buf := make([]byte, 200_000) // so much that the rest fits into the pipes
	if _, err := io.ReadFull(out, buf); err != nil {
		t.Fatal(err)
	}
	<-r.done
	time.Sleep(outputGrace + 100*time.Millisecond) // the time is the point
	n, err := io.Copy(io.Discard, out)
	if err != nil || n != 100_000 {
		t.Errorf("%d bytes of the rest, %v", n, err)
	}
	if rep := r.reply(); rep.ExitCode != 0 {
		t.Errorf("ended with %+v", rep)
	}
}

// A child that left the process group and keeps the pipe does not keep the
// reader.
func TestDaemonLeftBehind(t *testing.T) {
	t.Parallel()
	if _, err := lookCommand("setsid"); err != nil {
		t.Skip("needs setsid (Debian package util-linux)")
	}
	r, out, err := startCommand("/bin/sh", []string{"sh", "-c", "setsid sleep 8 & echo started; sleep 0.1"}, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	start := time.Now()
	data, err := io.ReadAll(out)
	if err != nil || string(data) != "started\n" || time.Since(start) > 10*time.Second {
		t.Errorf("%q, %v after %s", data, err, time.Since(start))
	}
	<-r.done
}

// Nobody but root may have written what runs with the host's rights.
func TestSafeProgram(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "tool")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := safeProgram(path); err != nil {
		t.Errorf("safe: %v", err)
	}
	os.Chmod(path, 0o775)
	if err := safeProgram(path); err == nil {
		t.Error("a file that its group can write")
	}
	os.Chmod(path, 0o755)
	os.Chmod(dir, 0o777)
	if err := safeProgram(path); err == nil {
		t.Error("a directory that anybody can write")
	}
	link := filepath.Join(t.TempDir(), "link")
	os.Symlink(path, link)
	if err := safeProgram(link); err == nil {
		t.Error("a link to it")
	}
}

func TestDirDeclared(t *testing.T) {
	patterns := []string{"/var/log/**", "/etc/*.conf", "/opt/*/etc/x*", "/srv/data.txt"}
	for dir, want := range map[string]bool{
		"/var/log": true, "/var/log/a/b": true, "/var": true, "/": true, "/etc": true, "/etc/x": false,
		"/opt": true, "/opt/a": true, "/opt/a/etc": true, "/opt/a/lib": false, "/srv": false, "/var/logs": false, "/root": false,
	} {
		if got := dirDeclared(patterns, dir); got != want {
			t.Errorf("%s: %v", dir, got)
		}
	}
	if !dirDeclared([]string{"/**"}, "/root/x") {
		t.Error("/** does not hold /root/x")
	}
}

// Collectors that hand over or say what they may not: refused, recorded, ended.
func TestHostileCollectors(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Timeouts.Call, o.Timeouts.Collect = time.Second, 3*time.Second })
	for _, tt := range []struct {
		name, want string
		kind       audit.Type
	}{
		{"writable", "for mine it handed over a file that is open for writing", audit.PluginMisbehave},
		{"write-end", "for pipe it handed over the writing end of a pipe", audit.PluginMisbehave},
		{"socket", "for socket it handed over a socket of type 5, not a stream", audit.PluginMisbehave},
		{"undeclared", "which it has not declared", audit.PluginMisbehave},
		{"bad-name", `it named an item "../../etc/cron.d/x": not a clean relative path`, audit.PluginMisbehave},
		{"twice", `it named two items "a"`, audit.PluginMisbehave},
		{"bad-end", "it ended the item 99, which it had not begun", audit.PluginMisbehave},
		{"flood", "it announced more than 10000 items at once", audit.PluginMisbehave},
		{"announce", "it announced nothing, but handed over nothing", audit.PluginMisbehave},
		{"hang", "no answer to collect within 3s", audit.PluginExited},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "undeclared" {
				if _, err := os.Stat("/usr/share/zoneinfo/UTC"); err != nil {
					t.Skip("needs /usr/share/zoneinfo (Debian package tzdata)")
				}
			}
			t.Parallel()
			c := b.collector(t, tt.name, wish{})
			info, err := c.Info(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			err = c.Collect(t.Context(), Request{}, func(i *Item) error {
				if tt.name == "flood" {
					time.Sleep(time.Millisecond)
				}
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v\nwant one with %q", err, tt.want)
			}
			gone(t, info.PID)
			until.True(t, "its end is recorded", func() bool { return b.audit.has(tt.kind, "collect/"+tt.name) != nil })
		})
	}
}

func TestCollectorDies(t *testing.T) {
	b := newBench(t)
	c := b.collector(t, "exit", wish{})
	items, _, err := collect(t, c, Request{})
	var crash *CrashedError
	if !errors.As(err, &crash) || crash.End != "exit status 9" {
		t.Errorf("error %v", err)
	}
	if i := items["half"]; i.content != "half of it" || !errors.Is(i.endErr, io.ErrUnexpectedEOF) {
		t.Errorf("item %+v", i)
	}
}

func TestCollectorLeavesItemOpen(t *testing.T) {
	b := newBench(t)
	items, _, err := collect(t, b.collector(t, "never-ends", wish{}), Request{})
	if err != nil {
		t.Fatal(err)
	}
	if i := items["endless"]; i.content != "all of it" || !errors.Is(i.endErr, io.ErrUnexpectedEOF) {
		t.Errorf("item %+v", i)
	}
}

// The plugin keeps a duplicate of a file and moves its offset; size and content
// are the true ones all the same.
func TestContentIsWhole(t *testing.T) {
	b := newBench(t)
	items, _, err := collect(t, b.collector(t, "moves", wish{}), Request{})
	if err != nil {
		t.Fatal(err)
	}
	if i := items["moved"]; i.content != "the content" || i.Size != int64(len(i.content)) {
		t.Errorf("item %+v", i)
	}
}

func TestCollectStops(t *testing.T) {
	b := newBench(t)
	c := b.collector(t, "good", wish{})
	enough := errors.New("enough")
	n := 0
	err := c.Collect(t.Context(), Request{}, func(*Item) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("after %d items: %v", n, err)
	}
	// The plugin is not to blame and goes on.
	if _, _, err := collect(t, c, Request{}); err != nil {
		t.Errorf("next collection: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	err = b.collector(t, "hang", wish{}).Collect(ctx, Request{}, func(*Item) error { return nil })
	if !errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(*StuckError)) {
		t.Errorf("caller's deadline: %v", err)
	}
}

// Plan is not implemented by the hostile collectors: the call fails.
func TestPlanFails(t *testing.T) {
	b := newBench(t)
	_, err := b.collector(t, "good", wish{}).Plan(t.Context(), Request{})
	if err == nil || !strings.Contains(err.Error(), "plan collect/good") {
		t.Errorf("plan: %v", err)
	}
}
