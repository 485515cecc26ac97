package infinibox

import (
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
)

// User is an account of the array.
type User struct {
	Name, Password, Email string
	Role                  string // ADMIN, POOL_ADMIN, READ_ONLY, TECHNICIAN; several with commas between
	Type                  string // "Local" or "Ldap"
	Disabled              bool
}

// DefaultUsers are one of each role, one from LDAP and one disabled. Their
// passwords are for tests and demonstrations.
func DefaultUsers() []User {
	return []User{
		{Name: "admin", Password: "123456", Role: "ADMIN", Type: "Local", Email: "admin@example.com"},
		{Name: "pool", Password: "pool-pass", Role: "POOL_ADMIN", Type: "Local", Email: "pool@example.com"},
		{Name: "reader", Password: "reader-pass", Role: "READ_ONLY", Type: "Local", Email: "reader@example.com"},
		{Name: "tech", Password: "tech-pass", Role: "TECHNICIAN", Type: "Local", Email: "tech@example.com"},
		{Name: "ldap-admin", Password: "ldap-pass", Role: "ADMIN", Type: "Ldap", Email: "la@example.com"},
		{Name: "gone", Password: "gone-pass", Role: "ADMIN", Type: "Local", Disabled: true, Email: "gone@example.com"},
	}
}

type session struct {
	user User
	last time.Time
}

func (b *Box) login(w http.ResponseWriter, r *http.Request) {
	var in struct{ Username, Password string }
	if !read(w, r, &in) {
		return
	}
	b.logins.Add(1)
	u, found := b.check(in.Username, in.Password)
	t := b.Knobs.get()
	if !found {
		status := cmp.Or(t.Refuse, http.StatusUnauthorized)
		if t.Bare {
			w.WriteHeader(status)
			return
		}
		// The code is invented: no public source has the real one.
		fail(w, status, "LOGIN_FAILED", "invalid user name or password")
		return
	}
	id := rand.Text()
	b.mu.Lock()
	if !t.Expire {
		b.sessions[id] = &session{u, b.opts.Now()}
	}
	b.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Value: id, Path: "/", HttpOnly: true, Secure: r.TLS != nil})
	ok(w, map[string]any{"name": u.Name, "roles": u.roles(), "user_objects": []any{u.object(1)}})
}

func (u User) roles() []string {
	if u.Role == "" {
		return []string{}
	}
	return strings.Split(u.Role, ",")
}

func (u User) object(id int) map[string]any {
	return map[string]any{
		"id": id, "type": u.Type, "name": u.Name, "role": u.Role, "roles": u.roles(),
		"email": u.Email, "enabled": !u.Disabled, "password_digest_version": 1, "is_digest_sufficient": true,
	}
}

func (b *Box) check(name, password string) (User, bool) {
	for _, u := range b.opts.Users {
		if strings.EqualFold(u.Name, name) {
			return u, !u.Disabled && subtle.ConstantTimeCompare([]byte(u.Password), []byte(password)) == 1
		}
	}
	return User{}, false
}

func (b *Box) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie("JSESSIONID"); err == nil {
		b.mu.Lock()
		delete(b.sessions, c.Value)
		b.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: "JSESSIONID", Path: "/", MaxAge: -1})
	ok(w, map[string]any{})
}

// Sessions is the number of logins that were not logged out: a client that
// leaks them fills the array's table.
func (b *Box) Sessions() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sessions)
}

// Logins is the number of passwords that were tried.
func (b *Box) Logins() int { return int(b.logins.Load()) }

// caller finds the user behind a cookie or Basic credentials.
func (b *Box) caller(r *http.Request) (User, bool) {
	if name, password, given := r.BasicAuth(); given {
		return b.check(name, password)
	}
	c, err := r.Cookie("JSESSIONID")
	if err != nil {
		return User{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s, found := b.sessions[c.Value]
	if !found {
		return User{}, false
	}
	now := b.opts.Now()
	if now.Sub(s.last) > b.opts.SessionTTL {
		delete(b.sessions, c.Value)
		return User{}, false
	}
	s.last = now
	return s.user, true
}

type userHandler func(http.ResponseWriter, *http.Request, User)

func (b *Box) user(h userHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u, found := b.caller(r)
		if !found {
			fail(w, http.StatusUnauthorized, "AUTHENTICATION_REQUIRED", "You must authenticate")
			return
		}
		h(w, r, u)
	}
}

func (b *Box) admin(h userHandler) http.HandlerFunc {
	return b.user(func(w http.ResponseWriter, r *http.Request, u User) {
		if u.Role != "ADMIN" {
			fail(w, http.StatusForbidden, "FORBIDDEN", "the role "+u.Role+" may not do this") // code invented
			return
		}
		h(w, r, u)
	})
}

func (b *Box) listUsers(w http.ResponseWriter, r *http.Request, _ User) {
	var list []any
	for i, u := range b.opts.Users {
		if name := filter(r, "name"); name == "" || name == u.Name {
			list = append(list, u.object(i+1))
		}
	}
	page(w, list, map[string]any{"number_of_objects": len(list)})
}

// filter returns X of ?field=eq:X, or of ?field=X.
func filter(r *http.Request, field string) string {
	return strings.TrimPrefix(r.URL.Query().Get(field), "eq:")
}
