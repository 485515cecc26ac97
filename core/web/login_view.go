package web

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/latchstring/latchstring/core/control"
)

// loginView is the login page.
type loginView struct {
	Product   string
	Password  bool // can log in with user name and password
	Challenge bool
	SSO       bool
	Others    []string
	None      bool // nothing is set up
	Talk      *talkView
}

// talkView is a login under way.
type talkView struct {
	Method  string
	Notices []noticeView
	Fields  []fieldView
	Working bool   // nothing is asked; the page comes again
	Go      string // the identity provider, where the browser is to go
	GoHost  string
	Auto    int // seconds after which it goes there by itself; 0 does not
	Turn    int
}

type noticeView struct {
	Label  string
	Value  string
	Groups []string // of a value that is read aloud
	URL    string
	QR     template.HTML
	Left   int // seconds; 0 for what does not expire
	Until  time.Time
	Alert  bool
}

type fieldView struct {
	control.Field
	Long bool
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request, b *session, follow bool) {
	by := control.OfBrowser("", "", address(r), 65534, 0)
	p := &page{Title: "Support Appliance Login"}
	if r.URL.Query().Get("out") == "1" {
		p.Flash = append(p.Flash, message{Kind: "ok", Text: "You are logged out."})
	}
	v := loginView{Product: s.opts.Product}
	if b != nil {
		by = s.caller(r, b)
		b.mu.Lock()
		p.Flash = append(p.Flash, b.flash...) // stays until something is done
		b.mu.Unlock()
	}
	methods, err := s.api.LoginMethods(r.Context(), by)
	if err != nil {
		p.Flash = append(p.Flash, s.forStrangers(err))
	}
	for _, m := range methods {
		switch m {
		case byPassword:
			v.Password = true
		case byChallenge:
			v.Challenge = true
		case bySSO:
			v.SSO = true
		default:
			v.Others = append(v.Others, m)
		}
	}
	v.None = len(methods) == 0 && err == nil
	if b != nil {
		if t := b.current(); t != nil {
			l, _ := t.look()
			v.Talk = s.talkView(l, follow)
			if v.Talk.Working {
				w.Header().Set("Refresh", "2; url=/login?go=1")
			}
			if v.Talk.Auto > 0 && plainRefresh(v.Talk.Go) {
				p.Refresh = v.Talk.Go
				p.RefreshAfter = v.Talk.Auto - 1
			}
		}
	}
	p.Data = v
	s.render(w, r, http.StatusOK, "login", p)
}

// plainRefresh reports whether an address can stand where browsers read
// "seconds; url=...".
func plainRefresh(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && !strings.ContainsAny(address, "'\" ;,\r\n")
}

func (s *Server) talkView(l look, follow bool) *talkView {
	v := &talkView{Method: l.Method, Working: l.Asks == nil, Turn: l.Turn}
	now := s.opts.Now()
	sso := asksFor(l.Asks, callbackField)
	remarks := 0
	for _, n := range l.Shown {
		if sso && n.URL != "" {
			if u, err := url.Parse(n.URL); err == nil && u.Scheme == "https" {
				v.Go, v.GoHost = n.URL, u.Host
			}
			continue
		}
		nv := noticeView{Label: n.Label, Value: n.Value, URL: n.URL}
		if !strings.HasPrefix(n.URL, "https://") {
			nv.URL = ""
		}
		if !n.Expires.IsZero() {
			nv.Until = n.Expires
			nv.Left = max(1, int(n.Expires.Sub(now)/time.Second))
			if n.Value != "" {
				nv.Groups = strings.Fields(n.Value)
				nv.QR = drawQR(n.Value)
			}
		} else if n.Value != "" && n.URL == "" {
			nv.Alert = strings.EqualFold(n.Label, "Mistyped") || strings.EqualFold(n.Label, "WARNING")
			remarks++
		}
		if nv.Label == "Mistyped" { // the last one counts
			v.Notices = slices.DeleteFunc(v.Notices, func(old noticeView) bool { return old.Label == nv.Label })
		}
		v.Notices = append(v.Notices, nv)
	}
	if sso {
		v.Method = bySSO // also where it was asked for in the place of a password
		if v.Go != "" && follow {
			v.Auto = 1
			if remarks > 0 {
				v.Auto = 7 // there is something to read before
			}
		}
		return v
	}
	for _, f := range l.Asks {
		for _, n := range v.Notices {
			if n.Value == f.Help {
				f.Help = "" // it is said already
			}
		}
		v.Fields = append(v.Fields, fieldView{f, l.Method == byChallenge})
	}
	return v
}
