package forward

import "testing"

func TestParse(t *testing.T) {
	for s, want := range map[string]Forward{
		"8443:192.0.2.10:443":              {"127.0.0.1:8443", "192.0.2.10:443"},
		"0:localhost:22":                   {"127.0.0.1:0", "localhost:22"},
		"192.0.2.1:8443:array.example:443": {"192.0.2.1:8443", "array.example:443"},
		"[::1]:8443:[2001:db8::1]:443":     {"[::1]:8443", "[2001:db8::1]:443"},
		"8443:[2001:db8::1]:443":           {"127.0.0.1:8443", "[2001:db8::1]:443"},
		"":                                 {}, "8443": {}, "8443:host": {}, "x:host:443": {}, "8443:host:0": {}, "8443:host:65536": {}, "8443::443": {},
		"*:8443:host:443": {}, ":8443:host:443": {}, "8443:[::1:443": {}, "8443:[::1]x:443": {}, "1:2:3:4:5": {}, "-1:host:1": {}, "8443:host:443:": {},
	} {
		f, err := Parse(s)
		if f != want || (err == nil) != (want != Forward{}) {
			t.Errorf("Parse(%q) = %v, %v; want %v", s, f, err, want)
		}
	}
}
