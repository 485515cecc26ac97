package web

import (
	"net/http"

	"github.com/latchstring/latchstring/core/control"
)

// reloadView is the question whether the service is to be restarted (REQ B11).
type reloadView struct {
	Open bool // a session would end
	In   int  // and so many connections
	Done bool // it is under way
}

// reloadAfter is after how many seconds the page looks whether the service is
// there again.
const reloadAfter = 10

func (s *Server) askReload(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	v := reloadView{}
	if now, err := s.api.Session(r.Context(), by); err == nil {
		v.Open, v.In = now.State != "off" && now.State != "", len(now.Connections)
	}
	b.mu.Lock()
	p := &page{Title: "Reload Service", User: new(*b.ticket), Data: v}
	b.mu.Unlock()
	s.render(w, r, http.StatusOK, "reload", p)
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request, b *session, by control.Caller) {
	if err := s.api.Restart(r.Context(), by); err != nil {
		b.note(refusal(err))
		redirect(w, r, "/")
		return
	}
	s.render(w, r, http.StatusOK, "reload", &page{Title: "Reload Service", Data: reloadView{Done: true}, Refresh: "/login", RefreshAfter: reloadAfter})
}
