package bundler

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/deliver"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/store"
)

// children finds the processes that this one has started for a plugin role.
func children(t *testing.T, role string) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) < 2 || f[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		cmdline, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if strings.Contains(string(cmdline), role) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// prose is text that is neither secret nor easily compressed.
func prose(n int) string {
	words := strings.Fields("the quick brown fox jumps over a lazy dog while seven engineers watch disks spin and fans hum in long cold rows of quiet machines")
	var b strings.Builder
	x := uint32(1)
	for b.Len() < n {
		for range 12 {
			x = x*1664525 + 1013904223
			b.WriteString(words[x>>16%uint32(len(words))])
			b.WriteByte(' ')
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// REQ H1, H3, H8: collected by plugins, sent through a plugin over TLS, opened
// by the vendor with the vendor's key.
func TestDelivered(t *testing.T) {
	relay := relaytest.New(t)
	b := open(t, "")
	enroll(t, b, relay)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "hello vendor\n")
	made, err := makeBundle(t, b, onlyFiles(dir))
	if err != nil {
		t.Fatal(err)
	}
	if !made.Encrypted || made.Queued == "" {
		t.Fatalf("made: %+v", made)
	}
	d, err := b.Deliver(t.Context(), made.Queued, Delivery{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Receipt.SHA256 != made.SHA256 || d.Receipt.Size != made.Size || d.Receipt.Anchor == "" {
		t.Errorf("receipt: %+v", d.Receipt)
	}
	if ev := events(t, b); ev != "bundle.created bundle.queued bundle.sent" {
		t.Errorf("audit: %s", ev)
	}
	q, err := b.Queue()
	if err != nil {
		t.Fatal(err)
	}
	if items, err := q.List(); err != nil || len(items) > 0 {
		t.Errorf("queue: %v, %v", items, err)
	}
	path := fetch(t, relay, d.Bundle)
	opened, files := contents(t, path, vendorKey(t, relay)...)
	found := false
	for p, text := range files {
		found = found || strings.HasSuffix(p, "app.log") && text == "hello vendor\n"
	}
	if !found || opened.Manifest.System.ID != b.System().ID() {
		t.Errorf("the vendor sees %v", files)
	}
}

// fetch gets a bundle as an engineer does.
func fetch(t *testing.T, relay *relaytest.Relay, id string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "fetched"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := relay.Engineer("ada", string(store.RoleBundles)).Content(t.Context(), id, 0, f); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// REQ I1: the transport plugin hands its socket over and may die then.
func TestTransportKilledInTheMiddleOfAnUpload(t *testing.T) {
	relay := relaytest.New(t)
	b := open(t, "")
	enroll(t, b, relay)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "big.log"), prose(24<<20))
	made, err := makeBundle(t, b, onlyFiles(dir))
	if err != nil {
		t.Fatal(err)
	}
	killed, at := 0, int64(0)
	_, err = b.Deliver(t.Context(), made.Queued, Delivery{Progress: func(sent, total int64) {
		if killed == 0 && sent > 0 && sent < total {
			for _, pid := range children(t, "transport/direct") {
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Error(err)
				}
				killed++
			}
			at = sent
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if killed != 1 || at == 0 || at >= made.Size {
		t.Fatalf("killed %d plugins at %d of %d: nothing was proven", killed, at, made.Size)
	}
	q, err := b.Queue()
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := q.Receipts()
	if err != nil || len(receipts) != 1 || receipts[0].Item.Attempts != 1 {
		t.Errorf("receipts: %+v, %v", receipts, err)
	}
}

// A collector that is killed costs its own items.
func TestCollectorKilled(t *testing.T) {
	b := open(t, "")
	dir := t.TempDir()
	for i := range 50 {
		write(t, filepath.Join(dir, fmt.Sprintf("%02d.log", i)), prose(100<<10))
	}
	out := filepath.Join(t.TempDir(), "b")
	killed := 0
	req := Request{Only: []string{"system"}, Include: []string{dir}, Output: out, NoEncrypt: true}
	req.Progress = progressOf(func(collector string, files int) {
		if killed == 0 && collector == "files" && files > 2 {
			for _, pid := range children(t, "collect/files") {
				syscall.Kill(pid, syscall.SIGKILL)
				killed++
			}
		}
	})
	made, err := makeBundle(t, b, req)
	if err != nil {
		t.Fatal(err)
	}
	if killed != 1 {
		t.Fatalf("killed %d", killed)
	}
	perCollector := map[string]int{}
	for _, f := range made.Manifest.Files {
		perCollector[f.Collector]++
	}
	if perCollector["system"] < 20 || perCollector["files"] < 1 {
		t.Errorf("files: %v", perCollector)
	}
	told := false
	for _, m := range made.Manifest.Missing {
		told = told || m.Collector == "files" && m.Reason != ""
	}
	if !told && perCollector["files"] < 51 {
		t.Errorf("%d of 51 files, and nobody says why", perCollector["files"])
	}
}

// One clear error for each way in which the relay cannot be had, the bundle
// queued in every case, and sent when it is back.
func TestRelayThatCannotBeHad(t *testing.T) {
	relay := relaytest.New(t)
	other := relaytest.New(t)
	b := open(t, "")
	enroll(t, b, relay)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "hello\n")
	made, err := makeBundle(t, b, onlyFiles(dir))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	for name, tt := range map[string]struct{ rss, want string }{
		"nothing listens":       {closed, "refused"},
		"no such host":          {"no-such-relay.invalid:443", "no-such-relay.invalid"},
		"another's certificate": {other.Address, "certificate"},
		"not an address":        {"127.0.0.1:no", "127.0.0.1:no"},
	} {
		_, err := b.Deliver(t.Context(), made.Queued, Delivery{RSS: tt.rss, Patience: 100 * time.Millisecond})
		var queued *deliver.QueuedError
		if !errors.As(err, &queued) || exitCode(err) != 5 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	relay.Stop()
	if _, err := b.Deliver(t.Context(), made.Queued, Delivery{RSS: relay.Address, Patience: 100 * time.Millisecond}); exitCode(err) != 5 {
		t.Errorf("the relay is gone: %v", err)
	}
	relay.Start()
	if _, err := b.Deliver(t.Context(), made.Queued, Delivery{RSS: relay.Address}); err != nil {
		t.Error(err)
	}
}

func TestDrop(t *testing.T) {
	relay := relaytest.New(t)
	b := open(t, "")
	enroll(t, b, relay)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "hello\n")
	made, err := makeBundle(t, b, onlyFiles(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Drop(made.Queued); err != nil {
		t.Fatal(err)
	}
	if err := b.Drop(made.Queued); !errors.Is(err, deliver.ErrNoItem) {
		t.Errorf("dropped twice: %v", err)
	}
	if ev := events(t, b); ev != "bundle.created bundle.queued bundle.dropped" {
		t.Errorf("audit: %s", ev)
	}
}

// Where bundles may go is policy's to say, also for one that is queued.
func TestDestinationIsAskedAgain(t *testing.T) {
	relay := relaytest.New(t)
	b := open(t, "bundles {\n  destinations = [\""+relay.Address+"\"]\n}\n")
	enroll(t, b, relay)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "hello\n")
	made, err := makeBundle(t, b, onlyFiles(dir))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Deliver(t.Context(), made.Queued, Delivery{RSS: "elsewhere.example:443"}); exitCode(err) != 3 {
		t.Errorf("got %v", err)
	}
	if _, err := b.Deliver(t.Context(), made.Queued, Delivery{}); err != nil {
		t.Error(err)
	}
}
