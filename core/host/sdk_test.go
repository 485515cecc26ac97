package host

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/sdk/failure"
)

// builtins builds the built-in plugins, once, beside the hostile program.
var builtins = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(hostile), "builtins")
	build := exec.Command("go", "build", "-o", path, "../../plugins")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build plugins: %w\n%s", err, out)
	}
	return path, os.Chmod(path, 0o755)
})

// REQ I3: plugins written with the SDK run in the real sandbox, and so do the
// built-in ones.
func TestBuiltinPlugins(t *testing.T) {
	path, err := builtins()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *Options) { o.Plugins = path })
	list, err := b.Catalog(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("catalog %+v, %v", list, err)
	}
	// The transport is given any port, as its far end may be anywhere.
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go echo(l)
	d, err := dial(t, b.transport(t, "direct", nil), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	talk(t, d.Conn, "through a real plugin")
	d.Conn.Close()
	if d.Pumped {
		t.Error("a direct connection is pumped")
	}
	// A port on which nobody listens: the plugin's own words arrive.
	dead, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	_, err = dial(t, b.transport(t, "direct", nil), dead.Addr().String())
	if !errors.Is(err, failure.Refused) {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestBuiltinCollectors(t *testing.T) {
	path, err := builtins()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *Options) { o.Plugins = path })
	for _, name := range []string{"system", "config"} {
		t.Run(name, func(t *testing.T) {
			c, err := b.Collector(name, Use{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			present, bytes := 0, int64(0)
			err = c.Collect(t.Context(), Request{MaxBytes: 8 << 20}, func(i *Item) error {
				if i.Status == Note {
					return nil
				}
				if i.Status != Present {
					t.Logf("%s: %s %v", i.Name, i.Reason, i.Err)
					return nil
				}
				n, err := io.Copy(io.Discard, i.File)
				if err != nil {
					return err
				}
				end, err := i.End(t.Context())
				if err != nil {
					return err
				}
				if end.Err != nil || end.ExitCode != 0 {
					t.Logf("%s (%s): %+v", i.Name, i.Source, end)
				}
				present, bytes = present+1, bytes+n
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			t.Logf("%d items, %d bytes", present, bytes)
			if present == 0 || bytes == 0 {
				t.Error("nothing was collected")
			}
			if e := b.audit.has(audit.PluginRefused, "collect/"+name); e != nil {
				t.Logf("refused: %+v", e)
			}
		})
	}
	if strings.Contains(b.logs.String(), "panic") {
		t.Error(b.logs.String())
	}
}
