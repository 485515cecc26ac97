package hostile

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/latchstring/latchstring/core/relay/api"
	"github.com/latchstring/latchstring/core/tunnel/msg"
)

// The relay does not do its work. That it can; it gains nothing by it.
var denials = []Case{
	{"denies", "refuses the system, and then the engineer", Harmless, denies},
	{"stalls", "accepts connections and never answers on them", Harmless, stalls},
	{"cuts", "cuts the engineer's line again and again", Harmless, cuts},
	{"drips", "passes the handshake on in crumbs", Harmless, drips},
}

func denies(w *world) (string, error) {
	no := func(paths ...string) plan {
		return plan{refuse: func(path string) *api.Error {
			for _, p := range paths {
				if p == path {
					return api.Errorf(http.StatusForbidden, api.CodeForbidden, "not here")
				}
			}
			return nil
		}}
	}
	if _, _, err := w.off(); err != nil {
		return "", err
	}
	w.set(no(msg.PathLink))
	err := w.on(w.request())
	if err == nil || w.state().State != "off" {
		return "", fmt.Errorf("refused, the session is %s (%v)", w.state().State, err)
	}
	w.set(plan{})
	if err := w.on(w.request()); err != nil {
		return "", err
	}
	w.set(no(msg.PathConnect))
	if conn, err := w.eng.dial(w.system); err == nil {
		conn.Abort("")
		return "", errors.New("the engineer is in")
	}
	w.set(no(msg.PathCarry))
	return "both were told that the relay said no, and nothing was left open by it", w.after()
}

func stalls(w *world) (string, error) {
	for _, path := range []string{msg.PathConnect, api.PathChallenge, msg.PathCarry} {
		w.set(plan{stall: func(p string) bool { return p == path }, join: hang})
		begin := time.Now()
		conn, err := w.eng.dialFor(w.system, time.Second)
		if err == nil {
			conn.Abort("")
			return "", errors.New("the engineer is in")
		}
		if took := time.Since(begin); took > slow {
			return "", fmt.Errorf("the engineer's program hung for %s after it was told to stop", took)
		}
	}
	if _, took, err := w.off(); err != nil || took > slow {
		return "", fmt.Errorf("off took %s, %v", took, err)
	}
	w.set(plan{stall: func(p string) bool { return true }})
	if s := w.state(); s.State != "off" {
		return "", fmt.Errorf("the session is %s", s.State)
	}
	w.set(plan{})
	if err := w.on(w.request()); err != nil {
		return "", err
	}
	return "the engineer's program gave up when it was told to, and off worked at once", w.honest()
}

// hang holds both ends and passes nothing on.
func hang(s *splice) { <-s.r.ctx.Done() }

func cuts(w *world) (string, error) {
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	for i := range 5 {
		n := w.count()
		w.splice(-1).cut()
		if err := v.works(); err != nil {
			return "", fmt.Errorf("after cut %d: %w", i+1, err)
		}
		if w.count() == n {
			return "", untested{errors.New("the line was not cut")}
		}
	}
	return "the same shell went on after each of five cuts, over another line", nil
}

func drips(w *world) (string, error) {
	slow := func(_ *splice, u unit) [][]byte {
		if u.frame {
			return [][]byte{u.b}
		}
		var out [][]byte
		for len(u.b) > 0 {
			n := min(len(u.b), 16)
			out = append(out, u.b[:n])
			u.b = u.b[n:]
		}
		return out
	}
	w.set(plan{up: slow, down: slow})
	v, err := w.eng.enter(w.system)
	if err != nil {
		return "", err
	}
	defer v.leave()
	return "it took longer, and that was all", v.works()
}
