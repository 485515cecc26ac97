package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What people read: REQ G11.
func TestExplainText(t *testing.T) {
	p, err := Parse(map[string][]byte{
		"bank.hcl": []byte(`session {
  reason       = "access standard 2.1"
  max_duration = "4h"
  mfa          = true
  window "office" {
    days = ["mon-fri"]
    from = "08:00"
    to   = "09:00"
    zone = "Europe/Zurich"
  }
}
approval { people = 2 }
engineer {
  require_case = true
  recording    = "required"
}
bundles { max_size = "1MB" }
`),
		"lab.hcl": []byte("session {\n  max_duration = \"6h\"\n}\nnetwork {\n  rss = [\"rss.lab.example\"]\n}\n"),
	}, clockAt(monday))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		action Action
		facts  []string
		want   string
	}{
		{"everything refuses", SessionOpen, []string{"duration", "5h", "roles", "viewer"}, `
session.open: refused: the relay rss.example.com:443 is not one of those that are allowed
  by        network.rss = ["rss.lab.example:443"]   lab.hcl:5,3
  and by    session.mfa = true   bank.hcl:4,3   (access standard 2.1)
  and by    session.max_duration = "4h"   bank.hcl:3,3   (access standard 2.1)
  and by    session.window = mon-fri 08:00-09:00 Europe/Zurich   bank.hcl:5,3   (access standard 2.1)
  at most   4h
to allow it, all of these:
  - change or remove network.rss at lab.hcl:5,3; or be one of: rss.lab.example:443
  - be one of: admin, root; or no policy file can allow it: session.roles is built in
  - change or remove session.mfa at bank.hcl:4,3; or log in with a second factor
  - change or remove session.max_duration at bank.hcl:3,3; or ask for at most 4h
  - change or remove session.window at bank.hcl:5,3; or wait until Tue 2026-03-03 08:00 CET
`},
		{"approval", ConnectAccept, []string{"time", "2026-03-02T07:30:00Z", "case", ""}, `
connect.accept: refused: the connection needs the approval of 2 different people and has 0
  by        approval.people = 2   bank.hcl:12,12
  and by    engineer.require_case = true   bank.hcl:14,3
  until     Mon 2026-03-02 09:00 CET
  needs     2 approvals by different people, within 15m
  needs     a recording: without one it does not happen
  note      ` + "`" + `from` + "`" + ` is the relay's word and is not proved: it can only make the answer stricter
to allow it, all of these:
  - change or remove approval.people at bank.hcl:12,12; or let somebody approve it
  - change or remove engineer.require_case at bank.hcl:14,3; or name the case
`},
		{"allowed", BundleSend, []string{"rss", "rss.lab.example"}, `
bundle.send: allowed
  by        network.rss = ["rss.lab.example:443"]   lab.hcl:5,3
  besides   bundles.max_size = "1MB"   bank.hcl:17,11
  at most   1MB
`},
		{"a built-in rule", HostOpen, []string{"path", "/etc/shadow"}, `
host.open: refused: the file /etc/shadow is denied by /etc/shadow
  by        bundles.deny_paths = [...]   built-in default
to allow it, all of these:
  - no policy file can allow it: bundles.deny_paths is built in
`},
		{"too large", BundleSend, []string{"rss", "rss.lab.example", "bytes", "1000001"}, `
bundle.send: refused: a bundle of 1000001 bytes is larger than the 1MB that are allowed
  by        bundles.max_size = "1MB"   bank.hcl:17,11
  at most   1MB
to allow it, all of these:
  - change or remove bundles.max_size at bank.hcl:17,11; or stay below 1MB
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := "\n" + p.Explain(c.action, with(full(), c.facts...)).Text()
			if i := strings.Index(got, `["/**/*.jks"`); i >= 0 {
				j := i + strings.Index(got[i:], "]")
				got = got[:i] + "[...]" + got[j+1:]
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTiesAreAllNamed(t *testing.T) {
	p, err := Parse(map[string][]byte{"a.hcl": []byte("engineer { upload = false }"), "b.hcl": []byte("engineer { upload = false }"), "c.hcl": []byte("engineer { upload = true }")})
	if err != nil {
		t.Fatal(err)
	}
	d := p.Decide(AccessUpload, full())
	if d.Rule.Source.File != "a.hcl" || len(d.Also) != 1 || d.Also[0].Source.File != "b.hcl" {
		t.Errorf("%+v", d)
	}
	if len(d.Lost) != 2 || d.Lost[1].Source.File != "c.hcl" { // and the built-in one
		t.Errorf("%+v", d.Lost)
	}
}

func TestRemoteAccessWord(t *testing.T) {
	for src, want := range map[string]string{
		``: "allowed", `remote_access = "locked_on"`: "locked_on", `remote_access = "permanently_disabled"`: "permanently_disabled",
		`remote_access = "locked_off"`: "locked_off", `remote_access = "lokced_off"`: "locked_off",
	} {
		p, _ := Parse(map[string][]byte{"x.hcl": []byte(src)})
		if got, _ := p.RemoteAccess(); got != want {
			t.Errorf("%s: %s", src, got)
		}
	}
	if w, r := mustParse(t, `remote_access = "locked_on"`).RemoteAccess(); w != "locked_on" || r.Source.Line != 1 {
		t.Errorf("%s %+v", w, r)
	}
}
