package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/bundler"
	"github.com/latchstring/latchstring/core/deliver"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/core/relay/store"
	"github.com/latchstring/latchstring/testdata/until"
)

// squid runs the real proxy at a fixed address; kill ends it as a crash does.
func squid(t *testing.T, dir, address string) (kill func()) {
	t.Helper()
	program := "/usr/sbin/squid"
	if _, err := os.Stat(program); err != nil {
		t.Skip("squid is not installed (Debian: squid)")
	}
	os.Chmod(dir, 0o777)
	put(t, dir, "squid.conf", fmt.Sprintf("http_port %s\npid_filename none\ncache deny all\naccess_log none\ncache_log %s/cache.log\ncoredump_dir %[2]s\nshutdown_lifetime 0 seconds\nmax_filedescriptors 1024\nhttp_access allow all\n", address, dir))
	os.Chmod(filepath.Join(dir, "squid.conf"), 0o644)
	cmd := exec.Command(program, "-N", "-f", filepath.Join(dir, "squid.conf"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
	t.Cleanup(kill)
	until.OK(t, "squid answers", func() error {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err
	})
	return kill
}

// relayProcess runs the relay in a process that can be killed.
func relayProcess(t *testing.T, r *relaytest.Relay) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestUploadSurvivesEverything$")
	cmd.Env = append(os.Environ(), "SEND_BUNDLE_TEST_RELAY="+r.Root.Dir, "SEND_BUNDLE_TEST_ADDRESS="+r.Address)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	t.Cleanup(kill)
	return kill
}

// REQ H3, I1, J2: an upload through squid; squid is killed, then the relay,
// then send-bundle is killed. Each time it goes on where it was, what arrives
// has the hash of what was sealed, and the receipt is valid.
func TestUploadSurvivesEverything(t *testing.T) {
	if dir := os.Getenv("SEND_BUNDLE_TEST_RELAY"); dir != "" {
		root, err := paths.New(dir)
		if err != nil {
			t.Fatal(err)
		}
		relaytest.Open(t, root, os.Getenv("SEND_BUNDLE_TEST_ADDRESS"))
		time.Sleep(2 * time.Minute) // until killed
		return
	}
	if testing.Short() {
		t.Skip("uploads 14 MB slowly")
	}
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	proxyDir, err := os.MkdirTemp("", "squid-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(proxyDir) })
	killProxy := squid(t, proxyDir, address)
	relay := relaytest.New(t)
	root, err := paths.New(filepath.Join(dir, "r"))
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Make(); err != nil {
		t.Fatal(err)
	}
	sys, err := identity.Open(root.Identity())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Enroll(t.Context(), sys, relay.Token("sa"), "", "sa.test", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sys.Pin(resp.Vendor, false); err != nil {
		t.Fatal(err)
	}
	// Text that does not shrink: words without a secret in them.
	body := make([]byte, 0, 14<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for len(body) < 14<<20 {
		for range 12 {
			for range 3 + r.IntN(7) {
				body = append(body, byte('a'+r.IntN(26)))
			}
			body = append(body, ' ')
		}
		body = append(body, '\n')
	}
	put(t, dir, "data/big.log", string(body))
	start := func(args ...string) *exec.Cmd {
		cmd := exec.Command("send-bundle", append([]string{"--root", root.Dir, "--proxy", "https://" + address, "--limit-rate", "3MB", "--patience", "60s", "--json"}, args...)...)
		cmd.Stderr = os.Stderr
		return cmd
	}
	relay.Stop()
	killRelay := relayProcess(t, relay)
	cmd := start("--only", "files", "--include", filepath.Join(dir, "data"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	q, err := deliver.OpenQueue(root.Queue())
	if err != nil {
		t.Fatal(err)
	}
	var item deliver.Item
	arrived := func() int64 {
		items, _ := q.List()
		if len(items) == 0 || items[0].Upload == "" {
			return 0
		}
		item = items[0]
		st, err := os.Stat(filepath.Join(relay.Root.Var("rss"), "intake", item.Upload))
		if err != nil {
			return 0
		}
		return st.Size()
	}
	reaches := func(what string, share float64) {
		t.Helper()
		// Longer than until waits: send-bundle pauses for up to 30 s between two tries.
		for end := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			n := arrived()
			if item.Size > 0 && float64(n) > share*float64(item.Size) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %d of %d bytes arrived", what, n, item.Size)
			}
		}
	}
	reaches("at first", 0.1)
	killProxy()
	a := arrived()
	squid(t, proxyDir, address)
	reaches("after squid was killed", 0.3)
	killRelay()
	b := arrived()
	killRelay = relayProcess(t, relay)
	reaches("after the relay was gone", 0.5)
	cmd.Process.Kill()
	cmd.Wait()
	c := arrived()
	if a <= 0 || b < a || c < b || c >= item.Size {
		t.Fatalf("killed at %d, %d and %d of %d: nothing was proven", a, b, c, item.Size)
	}
	cmd = start("queue", "retry")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var delivered []bundler.Delivered
	if err := json.Unmarshal(out, &delivered); err != nil || len(delivered) != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	d := delivered[0]
	key, err := resp.Vendor.ReceiptPublicKey()
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := d.Signed.Verify(key)
	if err != nil || receipt.SHA256 != item.SHA256 || receipt.Size != item.Size {
		t.Errorf("receipt %+v of %+v: %v", receipt, item, err)
	}
	killRelay()
	relay.Start()
	h := sha256.New()
	if _, err := relay.Engineer("ada", string(store.RoleBundles)).Content(t.Context(), d.Bundle, 0, h); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != item.SHA256 {
		t.Errorf("arrived as %s, sealed as %s", got, item.SHA256)
	}
	t.Logf("%d bytes; squid killed at %d, relay killed at %d, send-bundle killed at %d", item.Size, a, b, c)
}
