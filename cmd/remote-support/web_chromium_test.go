package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/relay/relaytest"
	"github.com/latchstring/latchstring/testdata/until"
)

// chromium is a real browser, driven over a pair of pipes (Chrome DevTools
// Protocol, --remote-debugging-pipe).
type chromium struct {
	t   *testing.T
	in  *os.File
	out *bufio.Reader

	mu      sync.Mutex
	id      int
	session string
	waits   map[int]chan json.RawMessage
	loud    []string // errors of scripts, and what the page's policy refused
}

// newChromium starts it with one empty page.
func newChromium(t *testing.T) *chromium {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here; install the package chromium to test the pages in a real browser")
	}
	toR, toW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromR, fromW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.MkdirTemp("", "chr")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-dev-shm-usage", "--ignore-certificate-errors", "--user-data-dir="+home, "--remote-debugging-pipe", "about:blank")
	cmd.Env = append(os.Environ(), "HOME="+home)
	cmd.ExtraFiles = []*os.File{toR, fromW}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toR.Close()
	fromW.Close()
	c := &chromium{t: t, in: toW, out: bufio.NewReader(fromR), waits: map[int]chan json.RawMessage{}}
	go c.listen()
	t.Cleanup(func() {
		c.in.Close() // it ends with its pipe
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			cmd.Process.Kill()
			<-done
		}
		fromR.Close()
		os.RemoveAll(home)
	})
	var target struct{ TargetID string }
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	c.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	c.session = session.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		c.call(domain+".enable", nil, nil)
	}
	return c
}

func (c *chromium) listen() {
	for {
		b, err := c.out.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			ID     int
			Method string
			Result json.RawMessage
			Error  json.RawMessage
			Params json.RawMessage
		}
		if json.Unmarshal(bytes.TrimRight(b, "\x00"), &m) != nil {
			continue
		}
		c.mu.Lock()
		if w := c.waits[m.ID]; w != nil {
			delete(c.waits, m.ID)
			w <- append(m.Result, m.Error...)
		}
		if m.Method == "Runtime.exceptionThrown" || m.Method == "Log.entryAdded" && bytes.Contains(m.Params, []byte(`"level":"error"`)) {
			c.loud = append(c.loud, string(m.Params))
		}
		c.mu.Unlock()
	}
}

func (c *chromium) call(method string, params map[string]any, into any) {
	c.t.Helper()
	c.mu.Lock()
	c.id++
	w := make(chan json.RawMessage, 1)
	c.waits[c.id] = w
	b, err := json.Marshal(map[string]any{"id": c.id, "method": method, "params": params, "sessionId": c.session})
	if c.session == "" {
		b, err = json.Marshal(map[string]any{"id": c.id, "method": method, "params": params})
	}
	c.mu.Unlock()
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.in.Write(append(b, 0)); err != nil {
		c.t.Fatal(err)
	}
	select {
	case r := <-w:
		if into != nil {
			if err := json.Unmarshal(r, into); err != nil {
				c.t.Fatalf("%s: %s", method, r)
			}
		}
	case <-time.After(30 * time.Second):
		c.t.Fatalf("%s: no answer", method)
	}
}

func (c *chromium) open(address string) {
	c.t.Helper()
	c.call("Page.navigate", map[string]any{"url": address}, nil)
}

// eval runs a script in the page and returns what it says, as text.
func (c *chromium) eval(script string) string {
	c.t.Helper()
	var out struct{ Result struct{ Value any } }
	c.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}, &out)
	return fmt.Sprint(out.Result.Value)
}

// shows waits until the page has a text.
func (c *chromium) shows(text string) {
	c.t.Helper()
	until.OK(c.t, fmt.Sprintf("%q is shown", text), func() error {
		if page := c.eval("document.body ? document.body.innerText : ''"); !strings.Contains(page, text) {
			return fmt.Errorf("the page is\n%s", page)
		}
		return nil
	})
}

// The whole way in a real browser: log in, open, see live what happens elsewhere,
// stop. No script fails and nothing offends the page's own policy.
// REQ A7, B1, B8, B9, B10
func TestWebChromium(t *testing.T) {
	c := newChromium(t)
	r := relaytest.New(t)
	s := newSite(t)
	s.do(0, "enroll", "--token-file", s.file("token", r.Token("array-7").String()+"\n"))
	base := s.serve()

	c.open(base + "/")
	c.shows("Switch to Challenge Authentication")
	c.eval(`document.querySelector("form[action='/login/start'] button").click()`)
	c.shows("Authentication Response")
	c.shows("(29 minutes") // the clock runs
	code := c.eval(`document.querySelector(".code").innerText`)
	c.open(base + "/login")
	c.shows("Authentication Response")
	if again := c.eval(`document.querySelector(".code").innerText`); again != code {
		t.Errorf("another challenge after a reload: %s, %s", code, again)
	}
	c.eval(`(document.querySelector("#user").value = "admin", document.querySelector("#password").value = "123456", document.querySelector("form[action='/login'] button").click())`)
	c.shows("No tunnel exists")
	if got := c.eval(`document.cookie`); got != "" {
		t.Errorf("scripts see the cookie %q", got)
	}
	c.eval(`(document.querySelector("#case").value = "CS-4711", document.querySelector("form[action='/session/on'] button").click())`)
	c.shows("Remote support is on")
	c.shows("Read it to support by telephone")
	c.eval(`window.here = "the same page"`)

	// Somebody else ends it; the page says so without being loaded anew.
	s.do(0, "off")
	c.shows("No tunnel exists")
	if text := c.eval("document.body.innerText"); strings.Contains(text, "Remote support is on") {
		t.Errorf("the page contradicts itself:\n%s", text)
	}
	if got := c.eval(`window.here`); got != "the same page" {
		t.Errorf("the page was loaded anew: %s", got)
	}
	if got := c.eval(`document.title`); !strings.HasPrefix(got, "Remote support is off") {
		t.Error(got)
	}
	c.eval(`document.querySelector("form[action='/session/on'] button").click()`)
	c.shows("Remote support is on")
	c.eval(`document.querySelector("button.stop").click()`)
	c.shows("Nobody was in")
	c.eval(`document.querySelector("form[action='/logout'] button").click()`)
	c.shows("You are logged out")
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.loud {
		t.Errorf("the browser complains: %s", e)
	}
}
