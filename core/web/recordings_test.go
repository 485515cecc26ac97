package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// taped is the recordings of a fake agent.
type taped struct {
	keys []string // that were given with the calls
	read []control.RecordingRead
}

func (f *fake) Recordings(context.Context, control.Caller) ([]control.Recording, error) {
	return []control.Recording{{ID: "con-1", Engineer: "<b>eve</b>\u202e", Session: "ses-1", Case: "C-1", State: "complete", Started: time.Unix(1_800_000_000, 0), Lasted: time.Minute, Kinds: []string{"2 files"}}}, nil
}

func (f *fake) Recording(_ context.Context, _ control.Caller, id string, key []byte) (control.RecordingDetail, error) {
	defer f.lock()()
	f.taped.keys = append(f.taped.keys, string(key))
	d := control.RecordingDetail{Recording: control.Recording{ID: id, Engineer: "eve", State: "complete"}, Holds: true, Verdict: "counter-signed to the end"}
	switch {
	case id == "con-broken":
		d.Holds, d.Problems = false, []string{"segment 1: it is missing"}
	case id != "con-1":
		return d, errors.New("there is no such recording here")
	case string(key) == "nonsense":
		return d, errors.New("the file is no key of recordings")
	case len(key) == 0:
		d.Sealed = "no key here opens it"
	default:
		d.Content = true
		d.Screens = []control.RecordingScreen{{Channel: 3, Command: "echo '<script>alert(1)</script>'\x1b]0;x\a"}}
		d.Notes = []control.RecordingNote{{Kind: "file", Path: `"><img src=x onerror=alert(1)>`, Direction: "upload", SHA256: "abcd"}}
	}
	return d, nil
}

func (f *fake) ReadRecording(_ context.Context, _ control.Caller, r control.RecordingRead, open func() io.Writer) error {
	f.mu.Lock()
	r.Key = bytes.Clone(r.Key)
	f.taped.read = append(f.taped.read, r)
	f.mu.Unlock()
	if r.ID != "con-1" {
		return errors.New("there is no such recording here")
	}
	w := open()
	io.WriteString(w, "tape") //nolint:errcheck // a test
	if r.Channel == 99 {
		return errors.New("it breaks off")
	}
	return nil
}

func (w *world) give(c *http.Client, origin, id, key string) (int, string, string) {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	m.WriteField("id", id) //nolint:errcheck // a buffer
	if key != "" {
		p, _ := m.CreateFormFile("file", "recording.key")
		io.WriteString(p, key) //nolint:errcheck // a buffer
	}
	m.Close()
	req, _ := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/recordings/key", &b)
	req.Header.Set("Content-Type", m.FormDataContentType())
	req.Header.Set("Origin", origin)
	resp, err := c.Do(req)
	return w.read(resp, err)
}

// What was recorded is listed and told as text, whatever it holds.
// REQ E1, E2, E8
func TestRecordings(t *testing.T) {
	w := newWorld(t)
	if _, at, _ := w.get("/recordings/con-1"); at != "/login" {
		t.Errorf("without a login: %s", at)
	}
	w.in()
	_, _, list := w.get("/recordings")
	w.want(list, "&lt;b&gt;eve&lt;/b&gt;\\u202e", "/recordings/con-1", "2 files", "case C-1")
	_, _, sealed := w.get("/recordings/con-1")
	w.want(sealed, "It holds", "no key here opens it", "memory of this login", "/recordings/con-1/sealed")
	_, at, open := w.give(w.c, w.url, "con-1", "AGE-SECRET-KEY-X")
	w.want(open, "The key is used until you log out", "Counter-signed to the end.", "&lt;script&gt;", "\\u001b]0;x", "SHA-256 abcd", "/recordings/con-1/play?channel=3")
	if at != "/recordings/con-1" || strings.Contains(open, "AGE-SECRET") || strings.Contains(open, "<img src=x") {
		t.Errorf("at %s:\n%s", at, open)
	}
	_, _, broken := w.get("/recordings/con-broken")
	w.want(broken, "It does not hold", "segment 1: it is missing")
	for name, page := range map[string]string{"list": list, "sealed": sealed, "open": open, "broken": broken} {
		checkMarkup(t, name, page)
	}
	if code, _, got := w.get("/recordings/con-1/ttyrec?channel=3"); code != 200 || got != "tape" {
		t.Error(code, got)
	}
	if last := w.taped.read[len(w.taped.read)-1]; last.Channel != 3 || string(last.Key) != "AGE-SECRET-KEY-X" {
		t.Errorf("%+v", last)
	}
	if resp, err := w.c.Get(w.url + "/recordings/con-1/play?channel=99"); err == nil { // what breaks off does not look whole
		if _, err = io.ReadAll(resp.Body); err == nil {
			t.Error("a recording that broke off looks whole")
		}
		resp.Body.Close()
	}
	_, _, forgot := w.give(w.c, w.url, "con-1", "")
	w.want(forgot, "The key is forgotten", "no key here opens it")
}

// A key is that of one login, and gone with it. Other sites, paths and wrong
// files get nothing.
func TestRecordingsAttacked(t *testing.T) {
	w := newWorld(t)
	w.in()
	if code, _, _ := w.give(w.c, "https://evil.example", "con-1", "AGE-SECRET-KEY-EVIL"); code != http.StatusForbidden {
		t.Errorf("a key from another site: %d", code)
	}
	_, _, page := w.give(w.c, w.url, "con-1", "nonsense")
	w.want(page, "no key of recordings")
	_, _, page = w.give(w.c, w.url, "con-1", strings.Repeat("x", maxKeyFile+1))
	w.want(page, "too large")
	for _, id := range []string{"../certificates/csr", "//evil.example", `\evil`, "https:x"} {
		if _, at, _ := w.give(w.c, w.url, id, "AGE-SECRET-KEY-1"); at != "/recordings" {
			t.Errorf("%q leads to %s", id, at)
		}
	}
	for _, path := range []string{"/recordings/..%2f..%2fidentity", "/recordings/%2e%2e", "/recordings/con-1/key", "/recordings/con-2/sealed", "/recordings/con-1/play?channel=-1", "/recordings/con-1/play?channel=4294967296", "/recordings/..%2fx/sealed"} {
		if code, _, got := w.get(path); code < 400 || strings.Contains(got, "tape") {
			t.Errorf("%s: %d", path, code)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/recordings/con-1/sealed", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := w.c.Do(req)
	if code, _, _ := w.read(resp, err); code != http.StatusForbidden {
		t.Errorf("a download by another site: %d", code)
	}

	w.give(w.c, w.url, "con-1", "AGE-SECRET-KEY-MINE")
	var mine *session
	for _, s := range w.sessions.list() {
		mine = s
	}
	held := mine.recordingKey
	w.post("/logout")
	if mine.recordingKey != nil || strings.Trim(string(held), "\x00") != "" {
		t.Errorf("the key outlives its login: %q", held)
	}
	w.in()
	w.get("/recordings/con-1")
	if last := w.taped.keys[len(w.taped.keys)-1]; last != "" {
		t.Errorf("another login has the key %q", last)
	}
	w.no = coded{"refused by policy"} // who may not open a session sees nothing
	if code, _, got := w.get("/recordings/con-1/ttyrec?channel=0"); code < 400 || strings.Contains(got, "tape") {
		t.Errorf("%d %s", code, got)
	}
	if _, _, got := w.get("/recordings"); strings.Contains(got, "con-1") {
		t.Error("who may not sees the list")
	}
}
