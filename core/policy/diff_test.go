package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiffInWords(t *testing.T) {
	before := mustParse(t, `
session {
  roles        = ["admin"]
  max_duration = "8h"
}
engineer {
  upload   = false
  forwards = ["127.0.0.1:*"]
}
bundles {
  max_size        = "500MB"
  deny_collectors = ["core-dumps"]
  redact "a" { literal = "Heron" }
}
plugins { min_sandbox = "full" }
`)
	after := mustParse(t, `
remote_access = "locked_off"
session {
  roles        = ["root"]
  max_duration = "4h"
  mfa          = true
}
engineer {
  download = false
  forwards = ["127.0.0.1:443"]
}
bundles {
  max_size        = "1GB"
  deny_collectors = ["logs"]
}
network { rss = ["rss.example.com"] }
`)
	var got []string
	for _, c := range Diff(before, after) {
		got = append(got, string(c.Direction)+": "+c.Text)
	}
	want := []string{
		`stricter: remote access: "allowed" -> "locked_off": nobody can switch it on; open sessions are cut`,
		`stricter: relays (RSS): any -> ["rss.example.com:443"]`,
		`changed: roles that open sessions: newly allowed root; no longer allowed admin`,
		`stricter: a second factor for opening sessions: now required`,
		`stricter: the longest session: "8h" -> "4h"`,
		`stricter: addresses that engineers reach through the tunnel: ["127.0.0.1:*"] -> ["127.0.0.1:443"]`,
		`looser: uploads by engineers: allowed again`,
		`stricter: downloads by engineers: now forbidden`,
		`changed: forbidden collectors: now also logs; no longer core-dumps`,
		`looser: the largest bundle: "500MB" -> "1GB"`,
		`looser: redactions: no longer a (the text "Heron")`,
		`looser: the sandbox that plugins must have: "full" -> "bare": resource limits only`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := Diff(before, before); len(d) > 0 {
		t.Errorf("%+v", d)
	}
}

func TestEffectiveNamesWinnersAndLosers(t *testing.T) {
	p, err := Parse(map[string][]byte{
		"a.hcl": []byte("session {\n  max_duration = \"8h\"\n  users = [\"ada\", \"bob\"]\n}"),
		"b.hcl": []byte("session {\n  max_duration = \"2h\"\n  users = [\"bob\", \"cyd\"]\n}"),
		"c.hcl": []byte("session {\n  max_duration = \"2h\"\n  users = [\"ada\", \"bob\", \"cyd\"]\n}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	names := func(rules []Rule) (out []string) {
		for _, r := range rules {
			out = append(out, r.Source.String())
		}
		return out
	}
	for _, s := range p.Effective() {
		var won, lost []string
		switch s.Key {
		case "session.max_duration":
			won, lost = []string{"b.hcl:2,3", "c.hcl:2,3"}, []string{"a.hcl:2,3"}
		case "session.users":
			won, lost = []string{"a.hcl:3,3", "b.hcl:3,3"}, []string{"c.hcl:3,3"}
			if s.Value != `["bob"]` {
				t.Errorf("%s", s.Value)
			}
		default:
			if !s.Default {
				t.Errorf("%+v", s)
			}
			continue
		}
		if d := cmp.Diff([][]string{won, lost}, [][]string{names(s.Rules), names(s.Lost)}); d != "" {
			t.Errorf("%s: %s", s.Key, d)
		}
	}
}

func TestFormats(t *testing.T) {
	for in, want := range map[string]string{"8h": "8h", "90m": "1h30m", "24h": "24h", "48h": "2d", "2d": "2d", "1d": "24h", "2d12h": "2d12h", "45s": "45s", "1h0m5s": "1h0m5s"} {
		d, err := ParseLength(in)
		if err != nil || formatLength(d) != want {
			t.Errorf("%s: %s %v, want %s", in, formatLength(d), err, want)
		}
	}
	for _, bad := range []string{"", "8", "-1h", "0s", "1w", "99999999d", "1d-5h", "h"} {
		if d, err := ParseLength(bad); err == nil {
			t.Errorf("%q is %v", bad, d)
		}
	}
	for in, want := range map[string]string{"2GB": "2GB", "2GiB": "2GiB", "1000MB": "1GB", "1024KiB": "1MiB", "1500kB": "1500kB", "0B": "0B", "7B": "7B", "3 MB": "3MB"} {
		n, err := ParseSize(in)
		if err != nil || formatSize(n) != want {
			t.Errorf("%s: %s %v, want %s", in, formatSize(n), err, want)
		}
	}
	for _, bad := range []string{"", "3", "3 gigs", "-1MB", "1.5GB", "99999999999999TB"} {
		if n, err := ParseSize(bad); err == nil {
			t.Errorf("%q is %d", bad, n)
		}
	}
}
