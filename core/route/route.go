package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strings"

	"github.com/latchstring/latchstring/core/host"
)

// Options are what the user said.
type Options struct {
	Proxy    string // URL, Machine, or empty for a direct connection
	Password []byte // of the proxy user; the caller clears it
	Bind     string // local address or interface
}

// Route is a way out.
type Route struct {
	Transport string // name of the transport plugin

	proxy    string // scheme://host:port, as policies name it
	user     string
	settings map[string]any
	password bool // is among the settings
	config   json.RawMessage
	bind     string
	machine  bool   // To settles it
	told     string // by whom, when not by the user
}

// UsageError is a route that cannot be taken as it was written.
type UsageError struct{ msg string }

func (e *UsageError) Error() string { return e.msg }

// ExitCode is that of a wrong flag.
func (e *UsageError) ExitCode() int { return 2 }

func wrong(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// schemes maps the schemes of proxies to transports and their settings.
var schemes = map[string]struct {
	transport string
	settings  map[string]any
	password  bool // whether the protocol carries one
}{
	"https":     {"https", map[string]any{}, true},
	"http":      {"https", map[string]any{}, true},
	"https+tls": {"https", map[string]any{"tls": true}, true},
	"socks4":    {"socks", map[string]any{"version": "4"}, false},
	"socks4a":   {"socks", map[string]any{"version": "4a"}, false},
	"socks5":    {"socks", map[string]any{"version": "5"}, true},
	"socks5h":   {"socks", map[string]any{"version": "5"}, true},
}

// Parse finds the route. An error is a [*UsageError] and never repeats a
// password.
func Parse(o Options) (Route, error) {
	if o.Proxy == "" {
		if len(o.Password) > 0 {
			return Route{}, wrong("a proxy password was given, but no proxy")
		}
		return Route{Transport: "direct", bind: o.Bind}, nil
	}
	if o.Proxy == Machine {
		if len(o.Password) > 0 {
			return Route{}, wrong("a proxy password was given, but no proxy that it is for; name the proxy, or keep it with `remote-support proxy set`")
		}
		// No transport has this name: what nobody settled goes nowhere.
		return Route{Transport: Machine, bind: o.Bind, machine: true}, nil
	}
	if strings.Contains(o.Proxy, ",") {
		return Route{}, wrong("one proxy only: chains of proxies are not supported")
	}
	if !strings.Contains(o.Proxy, "://") {
		return Route{}, wrong("the proxy needs a scheme: https://, socks4:// or socks5:// before host:port")
	}
	u, err := url.Parse(o.Proxy)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // the whole one repeats the URL
		}
		return Route{}, wrong("the proxy is no URL: %v", err)
	}
	s, known := schemes[u.Scheme]
	if !known {
		return Route{}, wrong("proxies of kind %q are not known; use https, https+tls, socks4, socks4a or socks5", u.Scheme)
	}
	if _, has := u.User.Password(); has {
		return Route{}, wrong("a password does not belong on the command line; use --proxy-password-file, or wait to be asked")
	}
	if u.Port() == "" || u.Hostname() == "" {
		return Route{}, wrong("the proxy %s needs a host and a port, as in %s://proxy.example:3128", u.Redacted(), u.Scheme)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return Route{}, wrong("the proxy %s has something behind the port", u.Redacted())
	}
	address := net.JoinHostPort(u.Hostname(), u.Port())
	scheme := u.Scheme
	if scheme == "http" {
		scheme = "https"
	}
	r := Route{Transport: s.transport, proxy: scheme + "://" + address, bind: o.Bind}
	r.settings = map[string]any{"proxy": address}
	for k, v := range s.settings {
		r.settings[k] = v
	}
	if len(o.Password) > 0 {
		switch {
		case !s.password:
			return Route{}, wrong("SOCKS4 carries only a user id, no password; use socks5://, or leave the password out")
		case u.User.Username() == "":
			return Route{}, wrong("a proxy password was given, but no user; write %s://USER@%s", u.Scheme, address)
		}
	}
	return r.with(u.User.Username(), o.Password)
}

// with is the route with credentials.
func (r Route) with(user string, password []byte) (Route, error) {
	r.settings = maps.Clone(r.settings)
	r.settings["user"] = user
	if len(password) > 0 {
		r.settings["password"] = string(password)
	}
	config, err := json.Marshal(r.settings)
	if err != nil {
		return Route{}, fmt.Errorf("configure the transport: %w", err)
	}
	delete(r.settings, "password")
	r.user, r.password, r.config = user, len(password) > 0, config
	return r, nil
}

// Canonical is the proxy of a URL as scheme://host:port, and the user in it.
func Canonical(proxy string) (address, user string, err error) {
	r, err := Parse(Options{Proxy: proxy})
	if err == nil && r.proxy == "" {
		err = wrong("name the proxy, as in https://ada@proxy.example:3128")
	}
	return r.proxy, r.user, err
}

// takesPassword reports whether the protocol of a proxy carries one.
func takesPassword(proxy string) bool {
	u, err := url.Parse(proxy)
	return err == nil && schemes[u.Scheme].password
}

// proxyFor is the proxy's URL with a user.
func (r Route) proxyFor(user string) string {
	if user == "" {
		user = "USER"
	}
	return strings.Replace(r.proxy, "://", "://"+url.User(user).String()+"@", 1)
}

// WantsPassword reports whether the proxy names a user whose protocol carries
// a password, so that one should be asked for when none was given.
func WantsPassword(proxy string) bool {
	u, err := url.Parse(proxy)
	return err == nil && u.User.Username() != "" && schemes[u.Scheme].password
}

// Use is the route as the plugin host takes it.
func (r Route) Use(purpose string) host.TransportUse {
	return host.TransportUse{Use: host.Use{Config: r.config, Purpose: purpose}, Proxy: r.proxy, Bind: r.bind}
}

// Secret reports whether a password is part of the settings.
func (r Route) Secret() bool { return r.password }

// String describes the route without secrets.
func (r Route) String() string {
	way := "directly"
	if r.proxy != "" {
		way = "through " + r.proxy
		if r.user != "" {
			way += " as " + r.user
		}
	}
	if r.machine {
		way = "as the machine's proxy settings say"
	}
	if r.bind != "" {
		way += " from " + r.bind
	}
	if r.told != "" {
		way += " (" + r.told + ")"
	}
	return way
}
