package e2e

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/latchstring/latchstring/testdata/peers"
)

// table is what was tested.
type table struct {
	mu   sync.Mutex
	rows [64]string // in the order of the test
}

func (tb *table) add(n int, p *peers.Proxy) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.rows[n] = fmt.Sprintf("| %s | %s |\n", p.Program, p.Does)
}

const (
	docs  = "../../../docs/TRANSPORTS.md"
	begin = "<!-- written by: go test ./core/agent/e2e -run Proxies -args -update -->\n"
	end   = "<!-- end -->\n"
)

// write puts the table into the documentation.
func (tb *table) write(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", docs)
	}
	text := before + begin + "\n| proxy | how |\n|---|---|\n" + strings.Join(tb.rows[:], "") + "\n" + end + after
	if err := os.WriteFile(docs, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The table names everything that the test goes through.
func TestTableIsWhole(t *testing.T) {
	b, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), begin)
	rows, _, ok := strings.Cut(rest, end)
	if n := strings.Count(rows, "\n|") - 2; !ok || n != len(peers.All)+1 {
		t.Errorf("%s lists %d proxies, the test knows %d; run it with -args -update", docs, n, len(peers.All)+1)
	}
}
