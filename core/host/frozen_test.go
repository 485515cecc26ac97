package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/sdk/failure"
)

// REQ I5: a plugin that was built against the first SDK still runs, in today's
// sandbox, with today's host.
func TestFirstSDKStillRuns(t *testing.T) {
	path := filepath.Join(filepath.Dir(hostile), "frozen")
	build := exec.Command("go", "build", "-o", path, "../../sdk/testdata/v1")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the frozen plugin: %v\n%s", err, out)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *Options) { o.Plugins = path })
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go echo(l)
	tr := b.transport(t, "frozen", json.RawMessage(`{"greeting":"hello from then"}`))
	for i := range 20 { // past any credit that is given at the start
		d, err := dial(t, tr, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if d.Note != "as ever" || d.Pumped {
			t.Errorf("%+v", d)
		}
		d.Conn.SetDeadline(time.Now().Add(10 * time.Second))
		msg := fmt.Sprintf("number %d", i)
		fmt.Fprint(d.Conn, msg)
		got := make([]byte, len("hello from then")+len(msg))
		if _, err := io.ReadFull(d.Conn, got); err != nil || string(got) != "hello from then"+msg {
			t.Errorf("%q, %v", got, err)
		}
		d.Conn.Close()
	}
	l.Close()
	_, err = dial(t, tr, l.Addr().String())
	var f *failure.Error
	if !errors.As(err, &f) || f.Code != failure.Refused || f.Hint != "says the frozen one" {
		t.Errorf("a failure: %v", err)
	}
	if _, err = dial(t, b.transport(t, "frozen", json.RawMessage(`{"greeting":"bad"}`)), l.Addr().String()); err == nil || !strings.Contains(err.Error(), "be kind") {
		t.Errorf("a setting that does not work: %v", err)
	}
	// It has no probe, and the host knows what that means.
	if err := tr.Probe(t.Context(), "tcp", l.Addr().String(), func(Step) {}); !errors.Is(err, failure.Unsupported) {
		t.Errorf("probe: %v", err)
	}
}
