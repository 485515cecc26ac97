package hostile

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/host/launch"
)

func TestMain(m *testing.M) {
	launch.Main()
	family.Main()
	flag.Parse()
	flag.Set("test.parallel", strconv.Itoa(parallel)) // they wait for most of their time
	os.Exit(m.Run())
}

// REQ A9: a relay turned bad, each attack against the real agent and the real
// engineer's client.
func TestCases(t *testing.T) {
	for _, c := range longFirst(Cases()) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			dir, err := os.MkdirTemp("", "lsh") // short, because sockets live below it
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			r := c.do(t.Context(), filepath.Join(dir, "c"))
			t.Logf("%s, in %s: %s", r.Verdict, r.Took.Round(1e6), r.Happened)
			if r.Verdict != Holds {
				t.Errorf("%s: %s", r.Verdict, r.Happened)
			}
		})
	}
}

// The suite as customers run it: results in their order, the good relay first.
func TestRun(t *testing.T) {
	var got []Result
	if err := Run(t.Context(), Options{Only: "swaps-host-key"}, func(r Result) { got = append(got, r) }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Verdict != Holds || got[0].Kept == 0 {
		t.Errorf("%+v", got)
	}
	if err := Run(t.Context(), Options{Only: "none"}, func(Result) {}); err == nil {
		t.Error("a case that does not exist is run")
	}
}
