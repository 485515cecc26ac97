package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/latchstring/latchstring/core/connect/connecttest"
	"github.com/latchstring/latchstring/core/policy"
	"github.com/latchstring/latchstring/core/relay/setup"
	"github.com/latchstring/latchstring/testdata/cmdtest"
	"github.com/latchstring/latchstring/testdata/until"
)

// openSystem is the system of a script.
type openSystem struct{}

func systemOf(ts *testscript.TestScript) *connecttest.System {
	return ts.Value(openSystem{}).(*connecttest.System)
}

// TestAccess goes into a system with an open session, whose shells run on this
// machine, in a directory of the script.
func TestAccess(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/access",
		Setup: func(e *testscript.Env) error {
			s := connecttest.New(t)
			e.Values[openSystem{}] = s
			e.Values[meddling{}] = &chanBox{}
			for name, value := range map[string]string{
				"RSS": s.Near.Address, "PIN": s.Loaded.Pin().String(), "HOME": e.WorkDir, "SSH_AUTH_SOCK": "", "ID": s.System.ID(), "KEY": s.KeyFile, "CA": filepath.Join(s.Loaded.Places.HandOut, setup.SupportCAName), "THERE": e.WorkDir + "/there",
			} {
				e.Setenv(name, value)
			}
			if err := os.MkdirAll(e.WorkDir+"/there", 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "secret"), []byte(s.Secret+"\n"), 0o600)
		},
		Condition: func(cond string) (bool, error) {
			if name, ok := strings.CutPrefix(cond, "tool:"); ok {
				_, err := exec.LookPath(name)
				return err == nil, nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": cmdtest.Code, "deny": deny, "session": session, "web": web, "get": get, "big": big, "same": same, "hunt": hunt, "sigcert": sigcert, "meddle": meddle, "meddled": meddled,
		},
	})
}

// deny ACTION WHY has policy deny something from now on.
func deny(ts *testscript.TestScript, _ bool, args []string) {
	systemOf(ts).Policy.Deny(policy.Action(args[0]), args[1])
}

// session open|close|rekey|cut [REASON]
func session(ts *testscript.TestScript, _ bool, args []string) {
	switch s := systemOf(ts); args[0] {
	case "open":
		s.Open()
	case "close":
		s.Close()
	case "rekey":
		s.Rekey()
	case "cut":
		s.Cut(args[1])
	}
}

// web serves a text on a port of 127.0.0.1, $WEB.
func web(ts *testscript.TestScript, _ bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, args[0]+"\n")
			c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	ts.Setenv("WEB", port)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, _ = net.SplitHostPort(free.Addr().String())
	free.Close()
	ts.Setenv("FREE", port)
}

// get PORT TEXT reads from a port until it answers with the text.
func get(ts *testscript.TestScript, _ bool, args []string) {
	until.OK(ts, fmt.Sprintf("port %s says %q", args[0], args[1]), func() error {
		c, err := net.Dial("tcp", "127.0.0.1:"+args[0])
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		b, _ := io.ReadAll(c)
		if strings.TrimSpace(string(b)) != args[1] {
			return fmt.Errorf("it says %q", b)
		}
		return nil
	})
}

// big FILE MB writes random bytes.
func big(ts *testscript.TestScript, _ bool, args []string) {
	mb, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), randomBytes(mb<<20), 0o600))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// same A B compares files by their hash.
func same(ts *testscript.TestScript, _ bool, args []string) {
	var sums [2][32]byte
	for i := range sums {
		b, err := os.ReadFile(ts.MkAbs(args[i]))
		ts.Check(err)
		sums[i] = sha256.Sum256(b)
	}
	if sums[0] != sums[1] {
		ts.Fatalf("%s and %s are not the same", args[0], args[1])
	}
}

// hunt DIR looks for the secret, in any spelling, in every file.
func hunt(ts *testscript.TestScript, _ bool, args []string) {
	secret := systemOf(ts).Secret
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(p string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		if err == nil && (bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte(strings.ReplaceAll(secret, "-", "")))) {
			return fmt.Errorf("the secret is in %s", p)
		}
		return err
	}))
}

// sigcert makes the engineer's certificate with stock ssh-keygen.
func sigcert(ts *testscript.TestScript, _ bool, args []string) {
	s := systemOf(ts)
	ca := filepath.Join(s.Loaded.Places.HandOut, "support_ca")
	ts.Check(ts.Exec("ssh-keygen", append([]string{"-q", "-s", ca, "-I", "grace", "-V", "-5m:+1h"}, append(args, s.KeyFile+".pub")...)...))
}

// meddling is what happens to a transfer while it runs.
type meddling struct{}

// meddle FILE cuts the engineer's line and restarts the relay while the file
// grows.
func meddle(ts *testscript.TestScript, _ bool, args []string) {
	s, path, done := systemOf(ts), ts.MkAbs(args[0]), make(chan error, 1)
	grown := func(mb int64) error {
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if fi, err := os.Stat(path); err == nil && fi.Size() > mb<<20 {
				return nil
			}
		}
		return fmt.Errorf("%s does not grow to %d MB", path, mb)
	}
	go func() {
		err := grown(8)
		if n := s.Near.Cut(); err == nil && n == 0 {
			err = errors.New("there was nothing to cut")
		}
		if err == nil {
			err = grown(24)
		}
		if err == nil {
			s.Relay.Stop()
			s.Relay.Start()
		}
		done <- err
	}()
	ts.Value(meddling{}).(*chanBox).c = done
}

type chanBox struct{ c chan error }

// meddled waits for the end of it.
func meddled(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(<-ts.Value(meddling{}).(*chanBox).c)
}
