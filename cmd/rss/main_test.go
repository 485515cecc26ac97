package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay"
	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/testdata/cmdtest"
	"github.com/latchstring/latchstring/testdata/until"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rss": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Setenv("RSS", ln.Addr().String())
			return ln.Close()
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": cmdtest.Code, "sshkey": sshkey, "ready": ready, "enroll": enroll, "mode": mode,
		},
	})
}

// sshkey FILE makes an SSH key and FILE.pub.
func sshkey(ts *testscript.TestScript, _ bool, args []string) {
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	block, err := ssh.MarshalPrivateKey(priv, "test")
	ts.Check(err)
	signer, err := ssh.NewSignerFromKey(priv)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(block), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), ssh.MarshalAuthorizedKey(signer.PublicKey()), 0o644))
}

// ready ROOT waits for the relay that runs there; with ! for its end.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	sock := filepath.Join(ts.MkAbs(args[0]), "run", "rss.sock")
	what := "the relay is up"
	if neg {
		what = "the relay is down"
	}
	until.True(ts, what, func() bool { _, err := relay.Dial(sock); return (err == nil) != neg })
}

// enroll TOKENFILE enrols a new system; with ! it must be refused, and the
// reason is printed to the script's log.
func enroll(ts *testscript.TestScript, neg bool, args []string) {
	tok, err := api.ParseToken(ts.ReadFile(args[0]))
	ts.Check(err)
	sys, err := identity.Open(filepath.Join(ts.MkAbs("."), "identity", strconv.FormatInt(time.Now().UnixNano(), 36)))
	ts.Check(err)
	_, err = client.Enroll(context.Background(), sys, tok, "", "host", nil)
	ts.Logf("enrol: %v", err)
	if (err == nil) == neg {
		ts.Fatalf("enrol: %v", err)
	}
}

// mode MODE FILE... checks permissions.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	for _, f := range args[1:] {
		fi, err := os.Stat(ts.MkAbs(f))
		ts.Check(err)
		if got := strconv.FormatUint(uint64(fi.Mode().Perm()), 8); got != args[0] {
			ts.Fatalf("%s has mode %s", f, got)
		}
	}
}
