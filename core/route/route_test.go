package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// REQ A6, B1
func TestParse(t *testing.T) {
	tests := []struct {
		name      string
		in        Options
		transport string
		proxy     string
		config    map[string]any
		shown     string
	}{
		{"direct", Options{}, "direct", "", nil, "directly"},
		{"from an interface", Options{Bind: "eth1"}, "direct", "", nil, "directly from eth1"}, // REQ A11
		{"http proxy", Options{Proxy: "https://proxy.example:3128"}, "https", "https://proxy.example:3128",
			map[string]any{"proxy": "proxy.example:3128", "user": ""}, "through https://proxy.example:3128"},
		{"with a login", Options{Proxy: "https://ada@proxy.example:3128", Password: []byte("s3cret")}, "https", "https://proxy.example:3128",
			map[string]any{"proxy": "proxy.example:3128", "user": "ada", "password": "s3cret"}, "through https://proxy.example:3128 as ada"},
		{"windows domain", Options{Proxy: `https://CORP%5Cada@p:1`, Password: []byte("x")}, "https", "https://p:1",
			map[string]any{"proxy": "p:1", "user": `CORP\ada`, "password": "x"}, `through https://p:1 as CORP\ada`},
		{"over TLS", Options{Proxy: "https+tls://p:443"}, "https", "https+tls://p:443",
			map[string]any{"proxy": "p:443", "user": "", "tls": true}, "through https+tls://p:443"},
		{"socks4", Options{Proxy: "socks4://id@p:1080"}, "socks", "socks4://p:1080",
			map[string]any{"proxy": "p:1080", "user": "id", "version": "4"}, "through socks4://p:1080 as id"},
		{"socks5", Options{Proxy: "socks5://u@[2001:db8::1]:1080", Password: []byte("x")}, "socks", "socks5://[2001:db8::1]:1080",
			map[string]any{"proxy": "[2001:db8::1]:1080", "user": "u", "password": "x", "version": "5"}, "through socks5://[2001:db8::1]:1080 as u"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			use := r.Use("bundle")
			var config map[string]any
			if use.Config != nil {
				if err := json.Unmarshal(use.Config, &config); err != nil {
					t.Fatal(err)
				}
			}
			if r.Transport != tt.transport || use.Proxy != tt.proxy || use.Bind != tt.in.Bind || r.String() != tt.shown {
				t.Errorf("got %s, %+v, %q", r.Transport, use, r)
			}
			if diff := cmp.Diff(tt.config, config); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// REQ J1
func TestWrong(t *testing.T) {
	for _, tt := range []struct {
		in   Options
		want string
	}{
		{Options{Proxy: "proxy:3128"}, "needs a scheme"},
		{Options{Proxy: "ftp://proxy:3128"}, `"ftp" are not known`},
		{Options{Proxy: "https://proxy"}, "needs a host and a port"},
		{Options{Proxy: "https://:3128"}, "needs a host and a port"},
		{Options{Proxy: "https://p:1/path"}, "behind the port"},
		{Options{Proxy: "https://a:1,https://b:2"}, "chains"},
		{Options{Proxy: "https://ada:s3cret@p:1"}, "does not belong on the command line"},
		{Options{Proxy: "https://ada:s3cret@p:x y"}, "no URL"},
		{Options{Proxy: "https://p:1", Password: []byte("s3cret")}, "no user"},
		{Options{Proxy: "socks4://u@p:1", Password: []byte("s3cret")}, "only a user id"},
		{Options{Password: []byte("s3cret")}, "no proxy"},
	} {
		_, err := Parse(tt.in)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.in.Proxy, err, tt.want)
		}
		if strings.Contains(fmt.Sprint(err), "s3cret") {
			t.Errorf("%q: the password is in the error: %v", tt.in.Proxy, err)
		}
	}
}

func TestWantsPassword(t *testing.T) {
	for proxy, want := range map[string]bool{"": false, "https://p:1": false, "https://u@p:1": true, "socks4://u@p:1": false, "socks5://u@p:1": true} {
		if got := WantsPassword(proxy); got != want {
			t.Errorf("WantsPassword(%q) = %v", proxy, got)
		}
	}
}

// REQ A15
func TestRetiredRelays(t *testing.T) {
	for address, ok := range map[string]bool{
		"rss.infinidat.com:443": true, "rss-us.infinidat.com:443": true, "rss.example.com": true,
		"rss02.infinidat.com:443": false, "RSS05.infinidat.com.:443": false, "rss08.infinidat.com": false,
	} {
		err := CheckRelay(address)
		if (err == nil) != ok {
			t.Errorf("CheckRelay(%q) = %v", address, err)
		}
		var gone *RetiredError
		if !ok && (!errors.As(err, &gone) || gone.Hint() != "use rss.infinidat.com") {
			t.Errorf("CheckRelay(%q) does not say what to use: %v", address, err)
		}
	}
}
