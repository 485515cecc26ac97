package route

import (
	"bufio"
	"bytes"
	"net"
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// Machine, in the place of a proxy's URL, means the proxy that the machine's
// own settings name for the relay.
const Machine = "machine"

// environmentFile is where administrators set variables for every login, and
// for services that read it.
const environmentFile = "/etc/environment"

// Environment are the machine's proxy settings: HTTPS_PROXY and NO_PROXY, or
// the same in lower case, which wins, as with curl. What the environment of
// this process does not set is looked up in /etc/environment.
func Environment() (proxy, except string) {
	file, err := os.ReadFile(environmentFile)
	if err != nil {
		file = nil // most machines have none
	}
	return environment(os.LookupEnv, file)
}

func environment(env func(string) (string, bool), file []byte) (proxy, except string) {
	set := assignments(file)
	get := func(name string) string {
		for _, n := range []string{strings.ToLower(name), name} {
			if v, ok := env(n); ok {
				return v
			}
		}
		for _, n := range []string{strings.ToLower(name), name} {
			if v, ok := set[n]; ok {
				return v
			}
		}
		return ""
	}
	return get("HTTPS_PROXY"), get("NO_PROXY")
}

// assignments reads NAME=value lines, as pam_env and systemd do.
func assignments(file []byte) map[string]string {
	set := map[string]string{}
	for sc := bufio.NewScanner(bytes.NewReader(file)); sc.Scan(); {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(sc.Text()), "export "), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		set[strings.TrimSpace(name)] = value
	}
	return set
}

// machineProxy is the URL of the machine's proxy for address, in our form, or
// "" where there is none. NO_PROXY means what it means to Go and to curl: names
// with all below them, addresses, networks, ports, and "*"; and this machine
// itself is never reached through a proxy. No name is looked up. had reports
// that the settings hold a password, which is left out.
func machineProxy(proxy, except, address string) (_ string, had bool, err error) {
	if proxy == "" {
		return "", false, nil
	}
	// The library decides about NO_PROXY only: it takes a malformed URL for
	// another, or for none at all.
	some := httpproxy.Config{HTTPSProxy: "http://some.invalid:1", NoProxy: except}
	if by, err := some.ProxyFunc()(&url.URL{Scheme: "https", Host: address}); err != nil || by == nil {
		return "", false, err
	}
	if !strings.Contains(proxy, "://") {
		proxy = "http://" + proxy
	}
	u, err := url.Parse(proxy)
	if err != nil || u.Hostname() == "" { // the error repeats the password
		return "", false, wrong("HTTPS_PROXY of this machine is no URL of a proxy")
	}
	// There http and https say how the proxy itself is reached.
	kinds := map[string]struct{ ours, port string }{
		"http": {"https", "80"}, "https": {"https+tls", "443"},
		"socks5": {"socks5", "1080"}, "socks5h": {"socks5", "1080"}, "socks4": {"socks4", "1080"}, "socks4a": {"socks4a", "1080"},
	}
	kind, known := kinds[u.Scheme]
	if !known {
		return "", false, wrong("HTTPS_PROXY of this machine is of kind %q; known are http, https, socks4, socks4a, socks5", u.Scheme)
	}
	port := u.Port()
	if port == "" {
		port = kind.port
	}
	ours := url.URL{Scheme: kind.ours, Host: net.JoinHostPort(u.Hostname(), port)}
	if name := u.User.Username(); name != "" {
		ours.User = url.User(name)
	}
	_, had = u.User.Password()
	return ours.String(), had, nil
}
