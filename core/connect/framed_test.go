package connect_test

import (
	"bytes"
	"testing"

	"github.com/latchstring/latchstring/core/connect/connecttest"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

// Where TLS is inspected the connection stays in WebSocket frames, which have no
// half-close. The end of a file that is sent, as in `ssh host cat < file`, is a
// message of SSH and of the stream and arrives all the same, with what the other
// side says after it.
func TestEndOfInputInFrames(t *testing.T) {
	for name, framed := range map[string]bool{"in frames": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := connecttest.New(t, func(r *relaytest.Relay) {
				r.Change = func(o *relay.Options) { o.AlwaysFramed = framed }
			})
			_, cl := dial(t, s, s.Options(s.Secret))
			sess, err := cl.NewSession()
			if err != nil {
				t.Fatal(err)
			}
			defer sess.Close()
			file := bytes.Repeat([]byte("a line of a file\n"), 100_000)
			var out bytes.Buffer
			sess.Stdin, sess.Stdout = bytes.NewReader(file), &out
			if err := sess.Run("cat; echo and the end"); err != nil {
				t.Fatal(err)
			}
			if got, want := out.Bytes(), append(file, "and the end\n"...); !bytes.Equal(got, want) {
				t.Errorf("%d bytes of %d came back", len(got), len(want))
			}
		})
	}
}
