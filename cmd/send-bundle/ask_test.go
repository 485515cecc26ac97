package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchstring/latchstring/core/bundler/ask"
	"github.com/latchstring/latchstring/core/connect"
	"github.com/latchstring/latchstring/core/identity"
)

// ask FILE SYSTEM KIND=VALUE... makes a request of the relay's vendor.
func askFor(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(relayKey{}).(*relayOfScript)
	if neg || len(args) < 3 {
		ts.Fatalf("usage: ask FILE SYSTEM KIND=VALUE...")
	}
	key, err := identity.MakeKey(filepath.Join(ts.MkAbs("."), "ada"), "ada")
	ts.Check(err)
	ts.Check(os.RemoveAll(ts.MkAbs("ada")))
	cert, err := connect.Certify(s.r.SupportCA(), connect.CertificateRequest{Key: key.PublicKey(), Name: "ada", Valid: time.Hour})
	ts.Check(err)
	r := ask.Request{System: args[1], Case: "C-4711", Reason: "slow disks", Created: time.Now(), Expires: time.Now().Add(time.Hour)}
	for _, a := range args[2:] {
		kind, value, _ := strings.Cut(a, "=")
		r.Items = append(r.Items, ask.Item{Kind: kind, Value: value, Reason: "because of " + kind})
	}
	data, _, err := ask.Sign(key, cert, r)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}
