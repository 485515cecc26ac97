package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type settings struct {
	Proxy    string            `config:"proxy" required:"true" help:"host:port of the proxy"`
	Password Secret            `config:"proxy_password" help:"password"`
	Timeout  time.Duration     `config:"timeout" default:"10s"`
	Retries  uint8             `config:"retries" default:"3"`
	Offset   int               `config:"offset"`
	Ratio    float64           `config:"ratio" default:"0.5"`
	Verify   bool              `config:"verify" default:"true"`
	Auth     string            `config:"auth" default:"auto" oneof:"auto,basic,none"`
	Methods  []string          `config:"methods" default:"a,b" oneof:"a,b,c"`
	Headers  map[string]string `config:"headers"`
	Bind     netip.Addr        `config:"bind"`
	TLS      struct {
		CA  string `config:"ca"`
		Key Secret `config:"key" required:"true"`
	} `config:"tls"`

	internal int //lint:ignore U1000 fields that are not exported are left alone
}

const good = `{"proxy":"p:1","proxy_password":"hunter2-hunter2","timeout":"1m30s","retries":7,"offset":"-4","ratio":2,
	"verify":false,"auth":"basic","methods":["c"],"headers":{"X":"y"},"bind":"::1","tls":{"ca":"x","key":"k"}}`

func TestDecode(t *testing.T) {
	var s settings
	if err := Decode(&s, []byte(good)); err != nil {
		t.Fatal(err)
	}
	if s.Proxy != "p:1" || s.Password.Reveal() != hunter || s.Timeout != 90*time.Second || s.Retries != 7 || s.Offset != -4 ||
		s.Ratio != 2 || s.Verify || s.Auth != "basic" || !slices.Equal(s.Methods, []string{"c"}) || s.Headers["X"] != "y" ||
		s.Bind != netip.IPv6Loopback() || s.TLS.CA != "x" || s.TLS.Key.Reveal() != "k" {
		t.Errorf("decoded %+v", s)
	}
	s = settings{}
	if err := Decode(&s, []byte(`{"proxy":"p:1","tls":{"key":"k"},"retries":null}`)); err != nil {
		t.Fatal(err)
	}
	if s.Timeout != 10*time.Second || s.Retries != 3 || !s.Verify || s.Auth != "auto" || !slices.Equal(s.Methods, []string{"a", "b"}) || s.Bind.IsValid() {
		t.Errorf("defaults %+v", s)
	}
}

// All mistakes come at once, by field, and none repeats a value.
func TestDecodeReportsAllMistakes(t *testing.T) {
	var s settings
	err := Decode(&s, []byte(`{"proxy_password":["hunter2-hunter2"],"timeout":"hunter2-hunter2","retries":256,"offset":1.5,"ratio":"hunter2-hunter2",
		"verify":"hunter2-hunter2","auth":"hunter2-hunter2","methods":["a","hunter2-hunter2"],"headers":"hunter2-hunter2","bind":"hunter2-hunter2",
		"tls":"hunter2-hunter2","Proxy_Passwort":"hunter2-hunter2","no_such":1}`))
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("error %v", err)
	}
	var fields []string
	for _, p := range problems {
		fields = append(fields, p.Field)
	}
	want := []string{"Proxy_Passwort", "auth", "bind", "headers", "methods", "no_such", "offset", "proxy", "proxy_password", "ratio", "retries", "timeout", "tls", "tls.key", "verify"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if leaks(err.Error()) {
		t.Errorf("a value is repeated: %v", err)
	}
	if !strings.Contains(err.Error(), `timeout: want a duration like "1m30s"`) {
		t.Errorf("no help in %v", err)
	}
}

func TestDecodeSuggests(t *testing.T) {
	var s settings
	err := Decode(&s, []byte(`{"proxy":"x","proxyPassword":"x","tls":{"key":"k"}}`))
	if err == nil || !strings.Contains(err.Error(), "did you mean proxy_password?") {
		t.Errorf("error %v", err)
	}
}

func TestDecodeWhatIsNoObject(t *testing.T) {
	for _, data := range []string{`[]`, `"hunter2-hunter2"`, `{`, `7`, "\x00"} {
		err := Decode(new(settings), []byte(data))
		if err == nil || leaks(err.Error()) {
			t.Errorf("%s: %v", data, err)
		}
	}
}

type validated struct {
	A string `config:"a"`
	B string `config:"b"`
}

func (v *validated) Validate() error {
	var p Problems
	if v.A == v.B {
		p.Add("b", "must not be a")
	}
	if v.A == "plain" {
		return fmt.Errorf("plain error")
	}
	return p.Err()
}

func TestValidate(t *testing.T) {
	for data, want := range map[string]string{
		`{"a":"x","b":"y"}`: "", `{"a":"x","b":"x"}`: "configuration: b: must not be a", `{"a":"plain"}`: "configuration: plain error",
	} {
		if err := Decode(new(validated), []byte(data)); fmt.Sprint(err) != want && (err != nil || want != "") {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestSchema(t *testing.T) {
	s := SchemaOf(new(settings))
	if diff := cmp.Diff([]string{"proxy_password", "tls.key"}, s.Secrets()); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	out, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"additionalProperties":false`, `"required":["proxy"]`, `"default":3`, `"default":"10s"`, `"default":["a","b"]`,
		`"enum":["auto","basic","none"]`, `"format":"password","writeOnly":true`, `"description":"host:port of the proxy"`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("schema lacks %s: %s", want, out)
		}
	}
	var back Schema
	if err := json.Unmarshal(out, &back); err != nil || len(back.Secrets()) != 2 {
		t.Errorf("schema cannot be read back: %v", err)
	}
	if got := SecretsOf(&settings{Password: NewSecret("x")}); len(got) != 1 || got[0].Reveal() != "x" {
		t.Errorf("secrets of the settings: %d", len(got))
	}
}

// A struct that cannot work is found at the first start, in words.
func TestBadStructsPanic(t *testing.T) {
	for want, v := range map[string]any{
		"not a pointer": settings{},
		"an exported field": &struct {
			a string `config:"a"`
		}{},
		"a new name": &struct {
			A string `config:"Upper"`
		}{},
		"is not supported": &struct {
			A chan int `config:"a"`
		}{},
		"a secret has no default": &struct {
			A Secret `config:"a" default:"x"`
		}{},
		"default does not work": &struct {
			A int `config:"a" default:"x"`
		}{},
		"has no config tag": &struct{ A Secret }{},
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), want) {
					t.Errorf("%T: panic %v, want %q", v, r, want)
				}
			}()
			SchemaOf(v)
		}()
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"tls":{"tls":{}},"proxy":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s settings
		err := Decode(&s, data)
		var problems Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("error of another kind: %v", err)
		}
		if err == nil && (s.Proxy == "" || s.TLS.Key.IsZero()) {
			t.Fatal("required settings are missing")
		}
	})
}
