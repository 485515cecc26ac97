package main

import (
	"context"
	"os"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/testdata/cmdtest"
)

// REQ E2, K3. Recordings are at the relay, which cannot read them; the vendor
// plays those that the customer shares.
func TestPlayScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/play",
		Setup: func(e *testscript.Env) error { return settle(t, e, "vendor-key.txt") },
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"code": cmdtest.Code, "engineer": engineer, "recorded": recorded},
	})
}

// recorded ID [shared] [cut] makes a recording of the system and sends it to
// the relay as an agent does; cut leaves out its end.
func recorded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: recorded ID [shared] [cut]")
	}
	w := worldOf(ts)
	own, err := age.GenerateX25519Identity()
	ts.Check(err)
	to := []age.Recipient{own.Recipient()}
	cut := false
	for _, a := range args[1:] {
		switch a {
		case "shared":
			for _, line := range w.vendor.Recipients {
				r, err := age.ParseX25519Recipient(line)
				ts.Check(err)
				to = append(to, r)
			}
		case "cut":
			cut = true
		}
	}
	now := time.Now()
	dir := ts.MkAbs("system-" + args[0])
	sealed := make(chan record.Segment, 8)
	r, err := record.Start(record.Options{
		Dir: dir, ID: args[0], Session: "ses-script01", Engineer: "ada", Signer: w.system.Signer(), Recipients: to,
		Ship: func(s record.Segment) { sealed <- s },
		Now:  func() time.Time { now = now.Add(10 * time.Millisecond); return now },
	})
	ts.Check(err)
	ts.Check(r.Output(0, []byte("this was on the screen\r\n")))
	segments := []record.Segment{<-sealed}
	_, err = r.Close("done")
	ts.Check(err)
	if !cut {
		segments = append(segments, <-sealed)
	}
	c, err := client.ForSystem(w.system, w.vendor, nil)
	ts.Check(err)
	defer c.Close()
	for _, s := range segments {
		b, err := os.ReadFile(s.Path)
		ts.Check(err)
		for range 2 { // the answer to the first was lost
			ts.Check(c.SendSegment(context.Background(), s.Recording, s.Segment, b))
		}
	}
}
