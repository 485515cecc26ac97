package connect_test

import (
	"io"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/connect/connecttest"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/until"
)

// Where nobody inspects TLS, both ends leave it for records that are sealed from
// end to end, on every connection of a stream; in frames they do not.
func TestLeavesTLS(t *testing.T) {
	for name, framed := range map[string]bool{"without frames": false, "in frames": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := connecttest.New(t, func(r *relaytest.Relay) {
				r.Change = func(o *relay.Options) { o.AlwaysFramed = framed }
			})
			var h heard
			o := s.Options(s.Secret)
			o.Cache, o.Notify = cache(t), h.add
			_, cl := dial(t, s, o)
			run := func() {
				t.Helper()
				sess, err := cl.NewSession()
				if err != nil {
					t.Fatal(err)
				}
				if b, err := sess.Output("echo hello"); err != nil || string(b) != "hello\n" {
					t.Fatalf("%q, %v", b, err)
				}
			}
			want := []string{"2", "4"} // directions
			if framed {
				want = []string{"0", "0"}
			}
			run()
			if got := sealed(t, s); got != want[0] {
				t.Errorf("%s directions were sealed from end to end, want %s", got, want[0])
			}
			s.Near.Cut()
			run()
			until.True(t, "it is told", func() bool { return h.count(connect.Resumed) > 0 })
			if got := sealed(t, s); got != want[1] {
				t.Errorf("after a cut %s, want %s", got, want[1])
			}
		})
	}
}

func sealed(t *testing.T, s *connecttest.System) string {
	t.Helper()
	body, err := relay.Local(s.Server).Stream(t.Context(), "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "latchstring_rss_directions_sealed_total "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
