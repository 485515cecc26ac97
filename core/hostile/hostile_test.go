package hostile_test

import (
	"os"
	"testing"

	"github.com/latchstring/latchstring/core/access/family"
	"github.com/latchstring/latchstring/core/host/launch"
	"github.com/latchstring/latchstring/core/hostile"
)

func TestMain(m *testing.M) {
	launch.Main()
	family.Main()
	os.Exit(m.Run())
}

// REQ A9: a relay turned bad, each attack against the real agent and the real
// engineer's client.
func TestCases(t *testing.T) {
	for _, c := range hostile.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			err := hostile.Run(t.Context(), hostile.Options{Only: c.Name}, func(r hostile.Result) {
				t.Logf("%s, in %s: %s", r.Verdict, r.Took.Round(1e6), r.Happened)
				if r.Verdict != hostile.Holds {
					t.Errorf("%s: %s", r.Verdict, r.Happened)
				}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
