package web

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/latchstring/latchstring/core/control"
)

// address is where a request comes from, as the connection says: what headers
// say anybody can write.
func address(r *http.Request) string { return hostOf(r.RemoteAddr) }

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// caller is who a request acts for.
func (s *Server) caller(r *http.Request, b *session) control.Caller {
	p, ok := r.Context().Value(peerKey{}).(peer)
	if !ok {
		p = peer{uid: 65534}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	user := ""
	if b.ticket != nil {
		user = b.ticket.User
	}
	b.caller = control.OfBrowser(b.browser, user, address(r), p.uid, p.pid)
	return b.caller
}

// form is a form that was posted. Its fields stay bytes, so that passwords can
// be wiped.
type form map[string][]byte

func readForm(r *http.Request) (form, error) {
	b, err := io.ReadAll(r.Body)
	defer clear(b)
	if err != nil {
		return nil, fmt.Errorf("read the form: %w", err)
	}
	return parseForm(b), nil
}

// parseForm reads application/x-www-form-urlencoded. What is malformed is left
// out; the first of several fields of one name counts.
func parseForm(b []byte) form {
	f := form{}
	for field := range bytes.SplitSeq(b, []byte("&")) {
		name, value, _ := bytes.Cut(field, []byte("="))
		key, err := url.QueryUnescape(string(name))
		if err != nil || key == "" || len(f) >= 64 {
			continue
		}
		if _, twice := f[key]; !twice {
			if v, ok := unescape(value); ok {
				f[key] = v
			}
		}
	}
	return f
}

// unescape is url.QueryUnescape for bytes that are to be wiped.
func unescape(in []byte) ([]byte, bool) {
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		switch in[i] {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(in) {
				return nil, false
			}
			hi, lo := digit(in[i+1]), digit(in[i+2])
			if hi < 0 || lo < 0 {
				return nil, false
			}
			out = append(out, byte(hi<<4|lo))
			i += 2
		default:
			out = append(out, in[i])
		}
	}
	return out, true
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (f form) text(name string) string { return string(bytes.TrimSpace(f[name])) }

// draft is what was typed, for when the form is drawn again; secrets are typed
// anew.
func (f form) draft() map[string]string {
	out := map[string]string{}
	for _, name := range []string{"for", "case", "rss", "own", "proxy", "proxy_address", "proxy_port", "proxy_login", "proxy_user"} {
		if v := f.text(name); len(v) <= 256 {
			out[name] = v
		}
	}
	return out
}

func (f form) wipe() {
	for _, v := range f {
		clear(v)
	}
}

func short(s string) string { return fmt.Sprintf("%.120q", s) }

func redirect(w http.ResponseWriter, r *http.Request, to string) {
	http.Redirect(w, r, to, http.StatusSeeOther)
}
