package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/latchstring/latchstring/core/control"
)

// Bounds of recordings.
const (
	maxReading   = 4 // checked or read at once, of everybody
	maxListed    = 500
	maxKeyFile   = 16 << 10
	stalledAfter = time.Minute // that a browser takes nothing of a download
)

// recordingsView is the list, newest first.
type recordingsView struct {
	All  []control.Recording
	More bool
}

// recordings lists what was recorded here (REQ E2).
func (s *Server) recordings(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	all, err := s.api.Recordings(r.Context(), by)
	p := s.recordingPage(b, "Recordings")
	if err != nil {
		p.Flash = append(p.Flash, refusal(err))
	}
	slices.Reverse(all)
	v := recordingsView{All: all, More: len(all) > maxListed}
	v.All = v.All[:min(len(all), maxListed)]
	p.Data = v
	s.render(w, r, http.StatusOK, "recordings", p)
}

func (s *Server) recordingPage(b *session, title string) *page {
	p := &page{Title: title, Flash: b.messages(s.opts.Now(), "recordings")}
	b.mu.Lock()
	p.User = new(*b.ticket)
	b.mu.Unlock()
	return p
}

type recordingView struct {
	control.RecordingDetail
	ID  string
	Key bool // the user gave one
}

// heldKey is a copy of the key that the user gave for this login.
func (b *session) heldKey() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.recordingKey)
}

// recording is one of them: checked, and with what was done.
func (s *Server) recording(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	if !s.startReading(w, r) {
		return
	}
	defer func() { <-s.reading }()
	key := b.heldKey()
	defer clear(key)
	d, err := s.api.Recording(r.Context(), by, r.PathValue("id"), key)
	if err != nil {
		m := refusal(err)
		s.fail(w, r, http.StatusNotFound, m.Text)
		return
	}
	p := s.recordingPage(b, "Recording "+d.ID)
	p.Data = recordingView{RecordingDetail: d, ID: d.ID, Key: len(key) > 0}
	s.render(w, r, http.StatusOK, "recording", p)
}

// startReading takes one of the places for reading. Another site cannot have a
// browser open recordings: each opening is in the audit log.
func (s *Server) startReading(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		s.fail(w, r, http.StatusForbidden, "This request came from another site, and was refused.")
		return false
	}
	select {
	case s.reading <- struct{}{}:
		return true
	default:
		s.fail(w, r, http.StatusServiceUnavailable, "Too many recordings are being read at this moment. Try again.")
		return false
	}
}

// readRecording sends the screen of a channel, to be played or kept, or the
// sealed original.
func (s *Server) readRecording(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	q := control.RecordingRead{ID: r.PathValue("id"), What: r.PathValue("what")}
	name := q.ID + "-sealed.tar"
	switch q.What {
	case control.ReadSealed:
	case control.ReadPlay, control.ReadTtyrec:
		n, err := strconv.ParseUint(r.URL.Query().Get("channel"), 10, 32)
		if err != nil {
			s.fail(w, r, http.StatusBadRequest, "The address names no channel.")
			return
		}
		q.Channel, name = uint32(n), fmt.Sprintf("%s-%d.ttyrec", q.ID, n)
	default:
		s.fail(w, r, http.StatusNotFound, "There is no such page.")
		return
	}
	if !s.startReading(w, r) {
		return
	}
	defer func() { <-s.reading }()
	q.Key = b.heldKey()
	defer clear(q.Key)
	begun := false
	err := s.api.ReadRecording(r.Context(), by, q, func() io.Writer {
		begun = true // the id is a valid one now, and safe as a file name
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
		return &patient{w: w, rc: http.NewResponseController(w), b: b}
	})
	switch {
	case err == nil:
	case begun:
		s.opts.Log.Warn("send a recording", "recording", q.ID, "err", err)
		panic(http.ErrAbortHandler) // what was sent must not look whole
	default:
		s.fail(w, r, http.StatusConflict, refusal(err).Text)
	}
}

// patient writes for as long as the browser takes something and the login lasts.
type patient struct {
	w  io.Writer
	rc *http.ResponseController
	b  *session
}

func (p *patient) Write(b []byte) (int, error) {
	if p.b.isClosed() {
		return 0, errors.New("the login has ended")
	}
	p.rc.SetWriteDeadline(time.Now().Add(stalledAfter)) //nolint:errcheck // a recorder in tests has none
	return p.w.Write(b)
}

// giveKey takes the file with the key that opens recordings. It stays in the
// memory of this login, and nowhere else; an empty one forgets it.
func (s *Server) giveKey(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	key, back, err := readKeyFile(r)
	defer clear(key)
	if !idLike(back) {
		back = ""
	}
	if err == nil && len(key) > 0 && back != "" { // it must be a key; whether it fits, the page says
		_, err = s.api.Recording(r.Context(), by, back, key)
	}
	b.mu.Lock()
	b.flash = nil
	if err == nil && !b.isClosed() {
		clear(b.recordingKey)
		b.recordingKey = slices.Clone(key)
	}
	b.mu.Unlock()
	switch {
	case err != nil:
		b.note(refusal(err))
	case len(key) > 0:
		b.note(message{Kind: "ok", Text: "The key is used until you log out. It is in the memory of this login alone."})
	default:
		b.note(message{Kind: "ok", Text: "The key is forgotten."})
	}
	redirect(w, r, strings.TrimSuffix("/recordings/"+back, "/"))
}

// idLike keeps what is led back to below /recordings/.
func idLike(s string) bool {
	return len(s) <= 64 && !strings.ContainsFunc(s, func(c rune) bool { return c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') })
}

// readKeyFile reads the form; nothing of it is written to disk.
func readKeyFile(r *http.Request) (key []byte, id string, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, "", fmt.Errorf("read the form: %w", err)
	}
	for range maxFields {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return key, id, fmt.Errorf("read the form: %w", err)
		}
		switch p.FormName() {
		case "id":
			v, err := io.ReadAll(io.LimitReader(p, 65))
			if err != nil {
				return key, id, fmt.Errorf("read the form: %w", err)
			}
			id = string(v)
		case "file":
			clear(key)
			buf := make([]byte, maxKeyFile)
			n, err := io.ReadFull(p, buf)
			switch {
			case err == nil:
				clear(buf)
				io.Copy(io.Discard, r.Body) //nolint:errcheck // it is bounded; see maxWrongFile
				return nil, id, errors.New("the file is too large for a key")
			case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
				clear(buf)
				return nil, id, fmt.Errorf("read the file: %w", err)
			}
			key = buf[:n]
			if n == 0 {
				return nil, id, errNoFile
			}
		}
	}
	return key, id, nil
}

// printable shows what an engineer wrote without what would reorder or hide it.
func printable(s string) string {
	var b strings.Builder
	for _, c := range s {
		if unicode.IsPrint(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "\\u%04x", c)
		}
	}
	return b.String()
}
