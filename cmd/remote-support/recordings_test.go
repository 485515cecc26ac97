package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/record"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/testdata/cmdtest"
)

// REQ E1, E2, E8
func TestRecordingScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/recordings",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": cmdtest.Code, "recorded": recorded, "passport": passport, "shipped": shipped,
			"relay": func(ts *testscript.TestScript, _ bool, _ []string) { relay(t, ts) }},
	})
}

// recorded ROOT ID SEGMENTS [crash] makes a recording of a system.
func recorded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: recorded ROOT ID SEGMENTS")
	}
	root, err := paths.New(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(root.Make())
	system, err := identity.Open(root.Identity())
	ts.Check(err)
	key, err := record.LoadKey(root.Var("identity", "recording.key"))
	ts.Check(err)
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	sealed := make(chan struct{}, 64)
	now := time.Now()
	r, err := record.Start(record.Options{
		Dir: root.Recordings(), ID: args[1], Session: "ses-script01", Engineer: "ada", Case: "C-4711", From: "192.0.2.7",
		Signer: system.Signer(), Recipients: []age.Recipient{key.Recipient()},
		Ship: func(record.Segment) { sealed <- struct{}{} },
		Now:  func() time.Time { now = now.Add(20 * time.Millisecond); return now },
	})
	ts.Check(err)
	ts.Check(r.Resize(0, 100, 30))
	ts.Check(r.Note(record.Note{Kind: record.Shell}))
	for i := range n {
		ts.Check(r.Output(0, fmt.Appendf(nil, "this is piece %d\r\n", i)))
		if i < n-1 {
			<-sealed // a second
		}
	}
	ts.Check(r.Note(record.Note{Channel: 1, Kind: record.Command, Command: "uname -a; echo \x1b]0;evil\a"}))
	ts.Check(r.Output(1, []byte("Linux\nnext line\n")))
	ts.Check(r.Note(record.Note{Channel: 1, Kind: record.Exit, Status: 3}))
	ts.Check(r.Note(record.Note{Channel: 2, Kind: record.File, Path: "/tmp/x", Direction: record.Upload, Size: 12, SHA256: "abcd"}))
	ts.Check(r.Note(record.Note{Channel: 2, Kind: record.Refused, Path: "/etc/shadow", Text: "policy"}))
	sum, err := r.Close("the engineer left")
	ts.Check(err)
	summaries.Store(filepath.Join(root.Recordings(), sum.Recording), sum)
}

// shipped ROOT [refused] sends what is there to the relay, as the agent does.
func shipped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: shipped ROOT [refused]")
	}
	root, err := paths.New(ts.MkAbs(args[0]))
	ts.Check(err)
	system, err := identity.Open(root.Identity())
	ts.Check(err)
	vendor, err := system.Vendor()
	ts.Check(err)
	c, err := client.ForSystem(system, vendor, nil)
	ts.Check(err)
	defer c.Close()
	err = record.NewShipper(root.Recordings(), func(ctx context.Context, s record.Segment) error {
		b, err := os.ReadFile(s.Path)
		if err != nil {
			return err
		}
		return c.SendSegment(ctx, s.Recording, s.Segment, b)
	}, nil).Pass(context.Background())
	if len(args) > 1 {
		if err == nil {
			ts.Fatalf("it was not refused")
		}
		return
	}
	ts.Check(err)
}

var summaries sync.Map // of record.Summary, by folder: scripts run side by side

// passport ROOT SESSION ID... signs the passport of a session.
func passport(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: passport ROOT SESSION ID...")
	}
	root, err := paths.New(ts.MkAbs(args[0]))
	ts.Check(err)
	system, err := identity.Open(root.Identity())
	ts.Check(err)
	p := record.Passport{Session: args[1], System: system.ID(), Opener: "uid:0(root)", Method: "root", Reason: "expired", Opened: time.Now(), Ended: time.Now()}
	for _, id := range args[2:] {
		sum, ok := summaries.Load(filepath.Join(root.Recordings(), id))
		if !ok {
			ts.Fatalf("no recording %s", id)
		}
		p.Connections = append(p.Connections, record.Visit{Summary: sum.(record.Summary)})
	}
	_, err = record.SignPassport(root.Passports(), p, system.Signer())
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("allowed"), fmt.Appendf(nil, "%s %s\n", system.ID(), identity.FormatKey(system.PublicKey())), 0o600))
	ts.Setenv("SYSTEM", system.ID())
	ts.Setenv("PASSPORT", filepath.Join(root.Passports(), args[1]+".json"))
}
