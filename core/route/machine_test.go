package route

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// kept is a store of logins.
type kept map[string][2]string

func (k kept) Login(proxy string) (string, []byte, bool, error) {
	if proxy == "https://broken:1" {
		return "", nil, false, errors.New("the store is damaged")
	}
	l, found := k[proxy]
	return l[0], []byte(l[1]), found, nil
}

// REQ B1: the machine's own settings, with the semantics of Go and curl.
func TestMachine(t *testing.T) {
	logins := kept{"https://stored:3128": {"ada", "c4n4ry"}, "https://p:3128": {"eve", "other"}}
	for _, tt := range []struct {
		proxy, except, relay string
		shown                string
		password             string
	}{
		{"", "", "rss.example:443", "directly (the machine's settings)", ""},
		{"http://proxy.example:3128", "", "rss.example:443", "through https://proxy.example:3128 (the machine's settings)", ""},
		{"proxy.example:3128", "", "rss.example:443", "through https://proxy.example:3128 (the machine's settings)", ""},
		{"http://proxy.example/", "", "rss.example:443", "through https://proxy.example:80 (the machine's settings)", ""},
		{"https://proxy.example", "", "rss.example:443", "through https+tls://proxy.example:443 (the machine's settings)", ""},
		{"socks5h://proxy.example", "", "rss.example:443", "through socks5://proxy.example:1080 (the machine's settings)", ""},
		{"http://[2001:db8::1]:3128", "", "rss.example:443", "through https://[2001:db8::1]:3128 (the machine's settings)", ""},
		{"http://p:1", "example", "rss.example:443", "directly (the machine's settings)", ""},
		{"http://p:1", ".example", "rss.example:443", "directly (the machine's settings)", ""},
		{"http://p:1", "rss.example:8443", "rss.example:443", "through https://p:1 (the machine's settings)", ""},
		{"http://p:1", "rss.example:443", "rss.example:443", "directly (the machine's settings)", ""},
		{"http://p:1", "notrss.example, other", "rss.example:443", "through https://p:1 (the machine's settings)", ""},
		{"http://p:1", "10.0.0.0/8", "10.1.2.3:443", "directly (the machine's settings)", ""},
		{"http://p:1", "10.0.0.0/8", "11.1.2.3:443", "through https://p:1 (the machine's settings)", ""},
		{"http://p:1", "*", "rss.example:443", "directly (the machine's settings)", ""},
		{"http://p:1", "", "127.0.0.1:443", "directly (the machine's settings)", ""},
		{"http://stored:3128", "", "rss.example:443", "through https://stored:3128 as ada (the machine's settings)", "c4n4ry"},
		{"http://ada:inclear@stored:3128", "", "rss.example:443", "through https://stored:3128 as ada (the machine's settings)", "c4n4ry"},
		{"http://bob@p:3128", "", "rss.example:443", "through https://p:3128 as bob (the machine's settings)", ""}, // the login is another's
		{"socks4://id@p:1", "", "rss.example:443", "through socks4://p:1 as id (the machine's settings)", ""},
	} {
		r, err := Parse(Options{Proxy: Machine})
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.toMachine(tt.proxy, tt.except, tt.relay, logins)
		if err != nil || got.String() != tt.shown {
			t.Errorf("%q except %q to %s: %q, %v, want %q", tt.proxy, tt.except, tt.relay, got, err, tt.shown)
			continue
		}
		var config struct{ Password string }
		json.Unmarshal(got.config, &config)
		if config.Password != tt.password {
			t.Errorf("%q: password %q", tt.proxy, config.Password)
		}
	}
}

func TestMachineWrong(t *testing.T) {
	for _, tt := range []struct{ proxy, want string }{
		{"http://ada:s3cret@p:1", "remote-support proxy set https://ada@p:1"},
		{"ftp://p:1", `kind "ftp"`},
		{"http://p:x", "no URL"},
		{"http://ada:s3cret@broken:1", "damaged"},
		{"http://p:1/path?s3cret", ""},
	} {
		r, _ := Parse(Options{Proxy: Machine})
		_, err := r.toMachine(tt.proxy, "", "rss.example:443", kept{})
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.proxy, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
	if _, err := Parse(Options{Proxy: Machine, Password: []byte("x")}); err == nil {
		t.Error("a password for a proxy that nobody named")
	}
	// What nobody settled goes nowhere.
	r, _ := Parse(Options{Proxy: Machine})
	if r.Transport != Machine || r.Use("").Proxy != "" {
		t.Errorf("not settled: %+v", r)
	}
}

func TestLogins(t *testing.T) {
	logins := kept{"https://p:1": {"ada", "c4n4ry"}, "socks4://p:1": {"ada", "c4n4ry"}}
	for _, tt := range []struct {
		in       Options
		user     string
		password string
	}{
		{Options{Proxy: "https://p:1"}, "ada", "c4n4ry"},
		{Options{Proxy: "http://p:1"}, "ada", "c4n4ry"},
		{Options{Proxy: "https://ada@p:1"}, "ada", "c4n4ry"},
		{Options{Proxy: "https://bob@p:1"}, "bob", ""},
		{Options{Proxy: "https://ada@p:1", Password: []byte("given")}, "ada", "given"},
		{Options{Proxy: "https://p:2"}, "", ""},
		{Options{Proxy: "socks4://p:1"}, "", ""},
	} {
		r, err := Parse(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // it stays settled
			if r, err = r.To("rss.example:443", logins); err != nil {
				t.Fatal(err)
			}
		}
		var config struct{ User, Password string }
		json.Unmarshal(r.config, &config)
		if config.User != tt.user || config.Password != tt.password {
			t.Errorf("%+v: %+v", tt.in, config)
		}
	}
	direct, _ := Parse(Options{})
	if r, err := direct.To("rss.example:443", nil); err != nil || r.Transport != "direct" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestEnvironment(t *testing.T) {
	file := []byte("# PATH\nPATH=\"/bin\"\nexport HTTPS_PROXY='http://file:1'\nno_proxy=\"a,b\"\nbroken\n")
	for _, tt := range []struct {
		env           map[string]string
		proxy, except string
	}{
		{nil, "http://file:1", "a,b"},
		{map[string]string{"HTTPS_PROXY": "http://upper:1"}, "http://upper:1", "a,b"},
		{map[string]string{"HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:1"}, "http://lower:1", "a,b"},
		{map[string]string{"https_proxy": "", "NO_PROXY": ""}, "", ""}, // set to nothing is set
	} {
		proxy, except := environment(func(n string) (string, bool) { v, ok := tt.env[n]; return v, ok }, file)
		if proxy != tt.proxy || except != tt.except {
			t.Errorf("%v: %q, %q", tt.env, proxy, except)
		}
	}
}

func FuzzMachineProxy(f *testing.F) {
	f.Add("http://ada:pw@p:1", "a,.b,10.0.0.0/8,*", "rss.example:443")
	f.Fuzz(func(t *testing.T, proxy, except, address string) {
		url, _, err := machineProxy(proxy, except, address)
		if err != nil || url == "" {
			return
		}
		if r, err := Parse(Options{Proxy: url}); err == nil && r.Transport == "direct" {
			t.Errorf("%q became direct", proxy)
		}
	})
}
