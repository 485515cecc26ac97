package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime/multipart"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/latchstring/latchstring/core/audit"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/paths"
	"github.com/latchstring/latchstring/core/record"
)

// nasty is what a bad host would print at whoever watches.
const nasty = "\x1b]0;<script>document.title='owned'</script>\a\x1b]52;c;ZXZpbA==\x1b\\\x1bPq<img src=x onerror=document.title='owned'>\x1b\\" +
	"<img src=x onerror=\"document.title='owned'\">\r\n\x1b[999999999;999999999H\x1b[8;99999;99999t\x1b[8;24;80t\x1b[H\x1b[2J\x1b[1;32mroot@array\x1b[0m:~# \x1b[44;97m health \x1b[0m ok\r\n<b>not bold</b>\r\n\x1b(0lqqk\x1b(B ünïcödé\r\n"

// tape makes a recording of the system.
func (s *site) tape(id string) {
	s.t.Helper()
	root, err := paths.New(s.root)
	must(s.t, err)
	must(s.t, root.Make())
	system, err := identity.Open(root.Identity())
	must(s.t, err)
	key, err := record.LoadKey(root.Var("identity", "recording.key"))
	must(s.t, err)
	now := time.Now().Add(-time.Hour)
	r, err := record.Start(record.Options{Dir: root.Recordings(), ID: id, Session: "ses-tape01", Engineer: "ada <ada@vendor>", Case: "CS-4711", From: "192.0.2.7",
		Signer: system.Signer(), Recipients: []age.Recipient{key.Recipient()}, Now: func() time.Time { now = now.Add(100 * time.Millisecond); return now }})
	must(s.t, err)
	must(s.t, r.Resize(0, 80, 24))
	must(s.t, r.Note(record.Note{Kind: record.Shell}))
	must(s.t, r.Output(0, []byte(nasty)))
	must(s.t, r.Output(0, []byte("the end of it\r\n")))
	must(s.t, r.Note(record.Note{Channel: 1, Kind: record.Command, Command: "uname -a"}))
	must(s.t, r.Output(1, []byte("Linux\nnext line\n")))
	must(s.t, r.Note(record.Note{Channel: 1, Kind: record.Exit}))
	must(s.t, r.Note(record.Note{Channel: 2, Kind: record.File, Path: "/tmp/fix.sh", Direction: record.Upload, Size: 12, SHA256: strings.Repeat("ab", 32)}))
	_, err = r.Close("the engineer left")
	must(s.t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A recording is listed, checked and played in a real browser; what it holds
// stays text. Without the key of the system the user's opens it.
// REQ E1, E2, E8
func TestWebRecordingsChromium(t *testing.T) {
	c := newChromium(t)
	s := newSite(t)
	s.tape("con-tape0001")
	base := s.serve()
	c.open(base + "/login")
	c.shows("Password")
	c.eval(`(document.querySelector("#user").value = "admin", document.querySelector("#password").value = "123456", document.querySelector("form[action='/login'] button").click())`)
	c.shows("No tunnel exists")
	c.open(base + "/recordings")
	c.shows("ada <ada@vendor>")
	c.picture("list")
	c.open(base + "/recordings/con-tape0001")
	c.shows("It holds: each piece is signed by this system")
	c.shows(strings.Repeat("ab", 32))
	c.shows("Play") // the script has brought the buttons out
	c.eval(`document.querySelector("[data-src]").click()`)
	c.shows("the end of it")
	screen := c.eval(`[...document.querySelectorAll(".terminal div")].map(d => d.textContent.trimEnd()).join("\n").trimEnd()`)
	if want := "root@array:~#  health  ok\n<b>not bold</b>\n┌──┐ ünïcödé\nthe end of it"; screen != want {
		t.Errorf("screen:\n%s\nwant:\n%s", screen, want)
	}
	if title := c.eval("document.title"); strings.Contains(title, "owned") {
		t.Error(title)
	}
	if n := c.eval(`document.querySelectorAll(".terminal img, .terminal b, .terminal script").length`); n != "0" {
		t.Errorf("%s elements came out of the recording", n)
	}
	c.picture("playing")
	c.eval(`document.querySelectorAll("[data-src]")[1].click()`)
	c.shows("next line")
	if got := c.eval(`document.querySelectorAll(".terminal div")[1].textContent.trim()`); got != "next line" {
		t.Errorf("lines of a command without a terminal: %q", got)
	}
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]string{"name": "prefers-color-scheme", "value": "dark"}}}, nil)
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true}, nil)
	c.picture("narrow-dark")
	if wide := c.eval("document.documentElement.scrollWidth > document.documentElement.clientWidth"); wide != "false" {
		t.Error("the page is wider than a narrow window")
	}
	c.eval("0")

	key := filepath.Join(s.root, "var", "identity", "recording.key")
	text, err := os.ReadFile(key)
	must(t, err)
	must(t, os.Rename(key, key+".away"))
	c.open(base + "/recordings/con-tape0001")
	c.shows("no key here opens it")
	c.picture("locked")
	c.eval(fmt.Sprintf(`(() => { const d = new DataTransfer(); d.items.add(new File([%q], "recording.key")); document.querySelector("#file").files = d.files; document.querySelector("form[action='/recordings/key'] button").click(); })()`, text))
	c.shows("The key is used until you log out")
	c.shows("What was done")
	if got := c.eval(`fetch("/recordings/con-tape0001/ttyrec?channel=0").then(r => r.text()).then(t => t.includes("the end of it"))`); got != "true" {
		t.Error("no download:", got)
	}
	opened := map[string]int{}
	for e, err := range audit.Read(filepath.Join(s.root, "var", "audit")) {
		must(t, err)
		if e.Type == audit.RecordingOpened {
			opened[e.Detail["what"]]++
			if e.Subject != "con-tape0001" || !strings.Contains(e.Actor, "admin") {
				t.Errorf("%+v", e)
			}
		}
	}
	if opened["shown"] < 3 || opened["played"] != 2 || opened["taken, ttyrec"] != 1 {
		t.Errorf("in the audit log: %v", opened)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.loud {
		t.Errorf("the browser complains: %s", e)
	}
}

// A recording that was tampered with is not played, somebody else's key opens
// nothing, and no address leads out of the recordings.
// REQ E2, E8
func TestWebRecordingsAttacked(t *testing.T) {
	s := newSite(t)
	s.tape("con-tape0002")
	base := s.serve()
	b := newTab(t, base)
	b.get("/login")
	b.post("/login", "user", "admin", "password", "123456")
	b.get("/recordings/con-tape0002").shows("It holds", "uname -a")
	key := filepath.Join(s.root, "var", "identity", "recording.key")
	must(t, os.Rename(key, key+".away"))
	other, err := age.GenerateX25519Identity()
	must(t, err)
	for _, text := range []string{"nonsense", other.String() + "x", other.String()} {
		var form bytes.Buffer
		m := multipart.NewWriter(&form)
		must(t, m.WriteField("id", "con-tape0002"))
		part, err := m.CreateFormFile("file", "k")
		must(t, err)
		_, err = part.Write([]byte(text))
		must(t, err)
		must(t, m.Close())
		resp, err := b.Post(base+"/recordings/key", m.FormDataContentType(), &form)
		must(t, err)
		page, err := io.ReadAll(resp.Body)
		must(t, err)
		resp.Body.Close()
		if bytes.Contains(page, []byte("uname")) || bytes.Contains(page, []byte(text)) && text != "nonsense" {
			t.Errorf("the key %.10q:\n%s", text, page)
		}
		if b.get("/recordings/con-tape0002/ttyrec?channel=0"); b.code < 400 || strings.Contains(b.page, "root@array") {
			t.Errorf("the key %.10q: %d", text, b.code)
		}
	}
	must(t, os.Rename(key+".away", key))
	for _, path := range []string{"/recordings/..%2fidentity", "/recordings/..%2fidentity/sealed", "/recordings/%2e%2e/sealed", "/recordings/con-tape0002%00/sealed", "/recordings/con-tape0002%2f..%2fcon-tape0002/sealed"} {
		if b.get(path); b.code < 400 {
			t.Errorf("%s: %d", path, b.code)
		}
	}
	segments, err := filepath.Glob(filepath.Join(s.root, "var", "recordings", "con-tape0002", "*.seg"))
	if err != nil || len(segments) == 0 {
		t.Fatal(segments, err)
	}
	content, err := os.ReadFile(segments[0])
	must(t, err)
	content[len(content)-1] ^= 1
	must(t, os.WriteFile(segments[0], content, 0o600))
	b.post("/recordings/key") // no form with a file: nothing changes
	b.post("/logout")
	b.get("/login")
	b.post("/login", "user", "admin", "password", "123456")
	b.get("/recordings/con-tape0002").shows("It does not hold", "segment 0")
	if strings.Contains(b.page, "uname") || strings.Contains(b.page, "data-src") {
		t.Error("what does not hold is shown")
	}
	if b.get("/recordings/con-tape0002/play?channel=0"); b.code < 400 {
		t.Errorf("what does not hold is played: %d", b.code)
	}
	if b.get("/recordings/con-tape0002/sealed"); b.code != 200 {
		t.Errorf("the evidence: %d", b.code)
	}
}

// picture keeps what is shown, where LATCHSTRING_PICTURES says so.
func (c *chromium) picture(name string) {
	c.t.Helper()
	dir := os.Getenv("LATCHSTRING_PICTURES")
	if dir == "" {
		return
	}
	var shot struct{ Data string }
	c.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot)
	b, err := base64.StdEncoding.DecodeString(shot.Data)
	must(c.t, err)
	must(c.t, os.WriteFile(filepath.Join(dir, name+".png"), b, 0o600))
}
