package transports

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/host"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/route"
	"github.com/latchstring/latchstring/testdata/peers"
)

var compare = flag.Bool("compare", false, "measure; it wants the machine for itself")

const (
	size   = 512 << 20 // of one transfer
	rounds = 9
	dials  = 40
)

func TestMain(m *testing.M) {
	launch.Main()
	os.Exit(m.Run())
}

// origin is a web server with something large and something small.
func origin(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 256<<10)
	mux := http.NewServeMux()
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		for n := 0; n < size; n += len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/small", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	srv := &http.Server{Handler: mux}
	t.Cleanup(func() { srv.Close() })
	go srv.Serve(l)
	return l.Addr().String()
}

// ours is the host with the built-in plugins in their sandbox.
func ours(t *testing.T) *host.Host {
	t.Helper()
	program := filepath.Join(t.TempDir(), "latchstring-plugins")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "../../plugins")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build plugins: %v\n%s", err, out)
	}
	root, err := paths.New(t.TempDir())
	if err == nil {
		err = root.Make()
	}
	if err != nil {
		t.Fatal(err)
	}
	log, err := audit.Open(root.Audit())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	pol, err := policy.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.New(host.Options{Root: root, Policy: pol, Audit: log, Plugins: program})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// get fetches by a connection of our transport; it returns how long that took
// to make and how many bytes a second came.
func get(t *testing.T, dial func(ctx context.Context, network, address string) (net.Conn, error), address, path string) (connect time.Duration, rate float64) {
	t.Helper()
	began := time.Now()
	conn, err := dial(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	connect = time.Since(began)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path)
	br := bufio.NewReaderSize(conn, 64<<10)
	resp, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{resp.Body}, make([]byte, 64<<10))
	if err != nil || n != resp.ContentLength {
		t.Fatalf("%d of %d bytes, %v", n, resp.ContentLength, err)
	}
	return connect, float64(n) / time.Since(began).Seconds()
}

// curl fetches with curl.
func curl(t *testing.T, proxy []string, url string) (connect time.Duration, rate float64) {
	t.Helper()
	args := append([]string{"-sS", "-o", "/dev/null", "-w", "%{time_pretransfer} %{time_total} %{size_download}"}, append(proxy, url)...)
	out, err := exec.Command("curl", args...).Output()
	if err != nil {
		t.Fatalf("curl: %v", err)
	}
	var pre, total, n float64
	if _, err := fmt.Sscan(string(out), &pre, &total, &n); err != nil {
		t.Fatalf("curl said %q", out)
	}
	return time.Duration(pre * float64(time.Second)), n / total
}

func median[T int64 | float64 | time.Duration](v []T) T {
	slices.Sort(v)
	return v[len(v)/2]
}

func TestCompare(t *testing.T) {
	if !*compare {
		t.Skip("a benchmark: bench/run transports")
	}
	peers.Need(t, "curl")
	h := ours(t)
	web := origin(t)
	for _, peer := range []struct {
		name  string
		start func() *peers.Proxy
		curl  func(p *peers.Proxy) []string
	}{
		{"squid", func() *peers.Proxy { return peers.Squid(t, "") }, func(p *peers.Proxy) []string { return []string{"-p", "-x", "http://" + p.Address} }},
		{"dante", func() *peers.Proxy { return peers.Dante(t, "socks5") }, func(p *peers.Proxy) []string { return []string{"--socks5-hostname", p.Address} }},
	} {
		p := peer.start()
		way, err := route.Parse(route.Options{Proxy: p.URL()})
		if err != nil {
			t.Fatal(err)
		}
		tr, err := h.Transport(way.Transport, way.Use(""))
		if err != nil {
			t.Fatal(err)
		}
		get(t, tr.DialContext, web, "/small") // the plugin starts
		var ratios, mine, theirs []float64
		for range rounds {
			_, a := get(t, tr.DialContext, web, "/large")
			_, b := curl(t, peer.curl(p), "http://"+web+"/large")
			ratios, mine, theirs = append(ratios, a/b), append(mine, a), append(theirs, b)
		}
		var dial, dialCurl []time.Duration
		for range dials {
			a, _ := get(t, tr.DialContext, web, "/small")
			b, _ := curl(t, peer.curl(p), "http://"+web+"/small")
			dial, dialCurl = append(dial, a), append(dialCurl, b)
		}
		added := median(dial) - median(dialCurl)
		verdict := "ok"
		if median(ratios) < 0.95 || added > 2*time.Millisecond {
			verdict = "MISSED"
		}
		name := strings.Fields(p.Program)[0]
		t.Logf("%-6s throughput %6.0f MB/s, curl %6.0f MB/s, ratio %.2f (goal 0.95); connect %v, curl %v, added %v (goal 2 ms): %s", name,
			median(mine)/1e6, median(theirs)/1e6, median(ratios), median(dial).Round(10*time.Microsecond), median(dialCurl).Round(10*time.Microsecond), added.Round(10*time.Microsecond), verdict)
		tr.Close()
	}
}
