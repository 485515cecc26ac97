package relay

import (
	"io"
	"net/http"
	"time"
)

// trySize is how many bytes a system sends to see whether sessions would pass,
// and gets back.
const trySize = 32

// serveTry is GET /v1/try: a system tests the way of sessions, and opens none.
func (h *hub) serveTry(w http.ResponseWriter, r *http.Request) {
	sys, err := h.srv.system(r)
	if err == nil {
		err = h.going()
	}
	if err != nil {
		h.refuse(w, err)
		return
	}
	conn, err := h.srv.upgrade(w, r)
	if err != nil {
		h.srv.log.Debug("upgrade", "who", sys.ID, "remote", r.RemoteAddr, "error", err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(requestTimeout))
	var p [trySize]byte
	if _, err := io.ReadFull(conn, p[:]); err != nil {
		return
	}
	if _, err := conn.Write(p[:]); err == nil {
		io.Copy(io.Discard, io.LimitReader(conn, trySize)) // until the system has seen it
	}
}
