package policy

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var monday = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func clockAt(t time.Time) Option { return WithClock(func() time.Time { return t }) }

// mustParse parses one file under the name site.hcl.
func mustParse(t testing.TB, src string) *Policy {
	t.Helper()
	p, err := Parse(map[string][]byte{"site.hcl": []byte(src)}, clockAt(monday))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// full are facts with which every action is allowed by default.
func full() Facts {
	return Facts{
		Collector: "system", RSS: "rss.example.com:443", Bytes: "1000", Path: "/var/log/syslog", Plugin: "collect/system",
		Role: "collect", Name: "system", State: "builtin", SHA256: strings.Repeat("a", 64), Sandbox: "full", Command: "df -h",
		Transport: "direct", Address: "rss.example.com:443", User: "ada", Method: "infinibox", Roles: "admin", Duration: "1h",
		Engineer: "eve", Case: "4711", From: "192.0.2.1", RunAs: "support", Event: "support_connected",
	}
}

func with(f Facts, kv ...string) Facts {
	for i := 0; i < len(kv); i += 2 {
		f[Fact(kv[i])] = kv[i+1]
	}
	return f
}

func TestDefaultAllowsWhatIsNamed(t *testing.T) {
	p := Default()
	for a := range needed {
		if d := p.Decide(a, full()); !d.Allowed {
			t.Errorf("%s: %v", a, d.Err())
		} else if d.Rule.Source.File != builtInFile {
			t.Errorf("%s: rule %+v", a, d.Rule)
		}
	}
}

func TestUnknownActionIsDenied(t *testing.T) {
	d := Default().Decide("bundle.sned", full())
	var r *Refusal
	if d.Allowed || !errors.As(d.Err(), &r) || r.ExitCode() != 3 {
		t.Fatalf("%+v", d)
	}
}

func TestMissingFactIsDenied(t *testing.T) {
	p := Default()
	for a, need := range needed {
		for _, f := range need {
			facts := full()
			delete(facts, f)
			if p.Decide(a, facts).Allowed {
				t.Errorf("%s is allowed without %s", a, f)
			}
			facts[f] = ""
			if p.Decide(a, facts).Allowed {
				t.Errorf("%s is allowed with an empty %s", a, f)
			}
		}
	}
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name, policy string
		action       Action
		facts        []string // changed against full()
		want         string   // empty: allowed; else a part of the reason
	}{
		{"root opens", ``, SessionOpen, []string{"user", "root", "method", "root", "roles", "root"}, ""},
		{"technician does not open", ``, SessionOpen, []string{"roles", "technician"}, "no role"}, // REQ B2
		{"one of several roles is enough", ``, SessionOpen, []string{"roles", "viewer, Admin"}, ""},
		{"roles cannot be widened", `session { roles = ["admin"] }`, SessionOpen, []string{"roles", "root"}, "no role"},
		{"nobody", `session { roles = [] }`, SessionOpen, nil, "nobody"},
		{"users", `session { users = ["ada", "ops-*"] }`, SessionOpen, []string{"user", "ops-7"}, ""},
		{"other users", `session { users = ["ada", "ops-*"] }`, SessionOpen, []string{"user", "mallory"}, "mallory"},
		{"method", `session { methods = ["sso"] }`, SessionOpen, nil, "infinibox"},
		{"mfa", `session { mfa = true }`, SessionOpen, nil, "second factor"},
		{"mfa given", `session { mfa = true }`, SessionOpen, []string{"mfa", "true"}, ""},
		{"a login that is old", ``, SessionOpen, []string{"login_age", "15m1s"}, "log in again"},
		{"a login that is fresh", ``, SessionOpen, []string{"login_age", "15m"}, ""},
		{"a login that is old here", `session { max_login_age = "5m" }`, SessionExtend, []string{"login_age", "6m"}, "more than 5m"},
		{"no file makes logins last", `session { max_login_age = "8h" }`, SessionOpen, []string{"login_age", "16m"}, "log in again"},
		{"the age is no duration", ``, SessionOpen, []string{"login_age", "yes"}, "login_age"},
		{"no pages", `web { enabled = false }`, WebServe, nil, "switched off"},
		{"pages elsewhere", `web { addresses = ["127.0.0.1:*"] }`, WebServe, []string{"address", "0.0.0.0:9000"}, "0.0.0.0:9000"},
		{"pages here", `web { addresses = ["127.0.0.1:*"] }`, WebServe, []string{"address", "127.0.0.1:9000"}, ""},
		{"locked off, the pages say so", `remote_access = "locked_off"`, WebServe, nil, ""},
		{"cap", `session { max_duration = "30m" }`, SessionOpen, nil, "longer"}, // REQ B6
		{"cap on extension", `session { max_duration = "30m" }`, SessionExtend, nil, "longer"},
		{"rss", `network { rss = ["other.example.com"] }`, SessionOpen, nil, "relay"},
		{"rss without port is 443", `network { rss = ["RSS.example.com."] }`, SessionOpen, nil, ""},
		{"rss for bundles too", `network { rss = ["other.example.com"] }`, BundleSend, nil, "relay"},
		{"rss pattern", `network { rss = ["*.example.com"] }`, TransportDial, nil, ""},
		{"must use a proxy", `network { proxies = ["https://p.example.com:3128"] }`, TransportDial, nil, "direct"},
		{"the proxy", `network { proxies = ["https://p.example.com:3128"] }`, TransportDial, []string{"proxy", "https://u:p@p.example.com:3128/"}, ""},
		{"another proxy", `network { proxies = ["https://p.example.com:3128", "none"] }`, TransportDial, []string{"proxy", "https://q.example.com:3128"}, "q.example.com"},
		{"transport", `network { transports = ["https"] }`, TransportDial, nil, "transport"},
		{"ask", `approval { mode = "ask" }`, ConnectAccept, nil, "1 person"},
		{"asked", `approval { mode = "ask" }`, ConnectAccept, []string{"approvers", "ada"}, ""},
		{"two", `approval { people = 2 }`, ConnectAccept, []string{"approvers", "ada, Ada"}, "2 different"},
		{"two came", `approval { people = 2 }`, ConnectAccept, []string{"approvers", "ada,bob"}, ""},
		{"deny", `approval { mode = "deny" }`, ConnectAccept, []string{"approvers", "ada,bob"}, "not let in"},
		{"revoked serial", `engineer { revoked = ["serial:7"] }`, ConnectAccept, []string{"certificate", "serial:7 name:eve key:SHA256:abc"}, "revoked here, by serial:7"},
		{"revoked key", `engineer { revoked = ["serial:8", "key:SHA256:abc"] }`, ConnectAccept, []string{"certificate", "serial:7 name:eve key:SHA256:abc"}, "revoked here, by key:SHA256:abc"},
		{"revoked another", `engineer { revoked = ["serial:8", "name:bob"] }`, ConnectAccept, []string{"certificate", "serial:7 name:eve key:SHA256:abc"}, ""},
		{"no list", `engineer { revocations_max_age = "24h" }`, ConnectAccept, nil, "no list of revoked certificates is known"},
		{"old list", `engineer { revocations_max_age = "24h" }`, ConnectAccept, []string{"revocations_age", "25h"}, "25h old"},
		{"fresh list", `engineer { revocations_max_age = "24h" }`, ConnectAccept, []string{"revocations_age", "23h"}, ""},
		{"age of rubbish", `engineer { revocations_max_age = "24h" }`, ConnectAccept, []string{"revocations_age", "x"}, "not written like"},
		{"case", `engineer { require_case = true }`, ConnectAccept, []string{"case", " "}, "no case"},
		{"no shell", `engineer { shell = false }`, AccessShell, nil, "shell"},
		{"commands mean no shell", `engineer { commands = ["df *"] }`, AccessShell, nil, "shell"},
		{"command", `engineer { commands = ["df *"] }`, AccessCommand, nil, ""},
		{"command smuggled", `engineer { commands = ["df *"] }`, AccessCommand, []string{"command", "df -h; rm -rf /"}, "signs"},
		{"command smuggled by line", `engineer { commands = ["df *"] }`, AccessCommand, []string{"command", "df -h\nid"}, "signs"},
		{"command listed letter for letter", `engineer { commands = ["ps aux | head"] }`, AccessCommand, []string{"command", "ps aux | head"}, ""},
		{"run as", `engineer { run_as = ["support"] }`, AccessShell, []string{"run_as", "root"}, "root"},
		{"forward", `engineer { forwards = ["10.0.0.5:*"] }`, AccessForward, []string{"address", "10.0.0.5:22"}, ""},
		{"forward elsewhere", `engineer { forwards = ["10.0.0.5:*"] }`, AccessForward, []string{"address", "10.0.0.55:22"}, "10.0.0.55"},
		{"no forwards", `engineer { forwards = [] }`, AccessForward, nil, "not one of"},
		{"upload", `engineer { upload = false }`, AccessUpload, nil, "upload"},
		{"upload path", `engineer { upload_paths = ["/tmp/**"] }`, AccessUpload, []string{"path", "/tmp/a/b"}, ""},
		{"upload detour", `engineer { upload_paths = ["/tmp/**"] }`, AccessUpload, []string{"path", "/tmp/../etc/passwd"}, "detours"},
		{"download", `engineer { download = false }`, AccessFetch, nil, "download"},
		{"bundles forbidden", `bundles { allowed = false }`, BundleCreate, nil, "forbidden"}, // REQ H10
		{"carried by hand", `bundles { send = false }`, BundleWrite, nil, ""},                // REQ H7
		{"not sent", `bundles { send = false }`, BundleSend, nil, "by hand"},
		{"collector", `bundles { deny_collectors = ["sys*"] }`, BundleCollect, nil, "denied"},
		{"other collector", `bundles { collectors = ["logs"] }`, BundleCollect, nil, "not one of"},
		{"too large", `bundles { max_size = "999B" }`, BundleSend, nil, "larger"},
		{"destination", `bundles { destinations = ["x.example.com"] }`, BundleSend, nil, "destination"},
		{"destination is for bundles", `bundles { destinations = ["x.example.com"] }`, SessionOpen, nil, ""},
		{"shadow", ``, HostOpen, []string{"path", "/etc/shadow"}, "denied"},
		{"host key", ``, HostOpen, []string{"path", "/etc/ssh/ssh_host_ed25519_key"}, "denied"},
		{"public host key", ``, HostOpen, []string{"path", "/etc/ssh/ssh_host_ed25519_key.pub"}, ""},
		{"user key", ``, HostOpen, []string{"path", "/home/ada/.ssh/id_ed25519"}, "denied"},
		{"key file at the root", ``, HostOpen, []string{"path", "/server.key"}, "denied"},
		{"detour", ``, HostOpen, []string{"path", "/etc/./shadow"}, "detours"},
		{"own path", `bundles { deny_paths = ["/srv/**"] }`, HostOpen, []string{"path", "/srv/a"}, "denied"},
		{"shell by a collector", ``, HostRun, []string{"command", "/bin/sh -c id"}, "denied"},
		{"unsigned plugin", ``, PluginLaunch, []string{"state", "unsigned"}, "unsigned"}, // REQ I4
		{"trusted plugin", ``, PluginLaunch, []string{"state", "trusted"}, ""},
		{"built-in only", `plugins { states = ["builtin"] }`, PluginLaunch, []string{"state", "trusted"}, "trusted"},
		{"plugin denied", `plugins { deny = ["collect/*"] }`, PluginLaunch, nil, "denied"},
		{"plugin not allowed", `plugins { allow = ["transport/*"] }`, PluginLaunch, nil, "not one of"},
		{"publisher", `plugins { publishers = ["acme"] }`, PluginLaunch, []string{"state", "trusted", "publisher", "evil"}, "evil"},
		{"publisher missing", `plugins { publishers = ["acme"] }`, PluginLaunch, []string{"state", "trusted"}, "not known"},
		{"publisher of built-in", `plugins { publishers = ["acme"] }`, PluginLaunch, nil, ""},
		{"revoked", `plugins { revoked = ["` + strings.Repeat("A", 64) + `"] }`, PluginLaunch, nil, "denied"},
		{"sandbox", `plugins { min_sandbox = "full" }`, PluginLaunch, []string{"sandbox", "unprivileged"}, "must reach full"},
		{"sandbox unknown", `plugins { min_sandbox = "full" }`, PluginLaunch, []string{"sandbox", ""}, "must reach full"},
		{"locked off", `remote_access = "locked_off"`, SessionOpen, nil, "locked off"}, // REQ G5
		{"locked off, command", `remote_access = "locked_off"`, AccessCommand, nil, "locked off"},
		{"locked off, bundles go", `remote_access = "locked_off"`, BundleSend, nil, ""}, // REQ H10
		{"locked off, dial for a bundle", `remote_access = "locked_off"`, TransportDial, []string{"purpose", "bundle"}, ""},
		{"locked off, dial for a session", `remote_access = "locked_off"`, TransportDial, []string{"purpose", "session"}, "locked off"},
		{"locked on, close", `remote_access = "locked_on"`, SessionClose, nil, "locked on"}, // REQ G3
		{"locked on, open", `remote_access = "locked_on"`, SessionOpen, nil, ""},
		{"disabled, auth plugin", `remote_access = "permanently_disabled"`, PluginLaunch, []string{"role", "auth"}, "for good"},
		{"disabled, collector", `remote_access = "permanently_disabled"`, PluginLaunch, nil, ""},
		{"notification", `notify { always = ["*"] }`, NotifyDisable, nil, "denied"},
		{"restart", `session { resume_after_restart = false }`, SessionResume, nil, "restart"},
		{"recordings", `engineer { vendor_reads_recordings = false }`, RecordingShare, nil, "customer"},
		{"duration nonsense", ``, SessionOpen, []string{"duration", "-1h"}, "duration"},
		{"bytes nonsense", ``, BundleSend, []string{"bytes", "many"}, "bytes"},
		{"address nonsense", ``, TransportDial, []string{"address", "rss.example.com"}, "host:port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := mustParse(t, c.policy).Decide(c.action, with(full(), c.facts...))
			switch {
			case c.want == "" && !d.Allowed:
				t.Errorf("refused: %v", d.Err())
			case c.want != "" && d.Allowed:
				t.Errorf("allowed by %+v", d.Rule)
			case c.want != "" && !strings.Contains(d.Reason, c.want):
				t.Errorf("reason %q has no %q", d.Reason, c.want)
			}
		})
	}
}

func TestLimitsAndDuties(t *testing.T) {
	p := mustParse(t, `
session {
  max_duration = "8h"
  window "day" {
    days = ["mon-fri"]
    from = "08:00"
    to   = "18:00"
    zone = "UTC"
  }
}
approval {
  people  = 2
  timeout = "2m"
}
engineer { recording = "required" }
bundles { max_size = "2GiB" }`)
	d := p.Decide(SessionOpen, with(full(), "duration", "0s"))
	if !d.Allowed || d.Limits.MaxDuration != 8*time.Hour || !d.Limits.Until.Equal(monday.Add(8*time.Hour)) {
		t.Errorf("%+v", d)
	}
	d = p.Decide(ConnectAccept, full())
	if d.Allowed || d.Duties != (Duties{2, 2 * time.Minute, true}) {
		t.Errorf("%+v", d)
	}
	if d := p.Decide(BundleCreate, nil); d.Limits.MaxBytes != 2<<30 {
		t.Errorf("%+v", d)
	}
}

// REQ G11
func TestRefusalNamesFileAndLine(t *testing.T) {
	p := mustParse(t, "engineer {\n  reason = \"audit finding 12\"\n  upload = false\n}\n")
	got := p.Decide(AccessUpload, full()).Err().Error()
	want := "refused by policy: engineers may not upload files (engineer.upload = false at site.hcl:3,3): audit finding 12"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What strangers say is repeated in reasons; passwords are in no decision.
func TestDecisionsAreFitForLogs(t *testing.T) {
	p := mustParse(t, `
session { users = ["ada"] }
network { proxies = ["https://p.example.com:3128"] }`)
	d := p.Decide(SessionOpen, with(full(), "user", "x\x1b[2J\n\xff"+strings.Repeat("y", 10000)))
	if d.Allowed || len(d.Reason) > 320 || strings.ContainsAny(d.Reason, "\x1b\n") {
		t.Errorf("%q", d.Reason)
	}
	d = p.Decide(TransportDial, with(full(), "proxy", "https://ada:s3cr3t@p.example.com:3128"))
	if !d.Allowed || strings.Contains(fmt.Sprintf("%+v", d), "s3cr3t") {
		t.Errorf("%+v", d)
	}
	for _, proxy := range []string{"https://ada:s3cr3t@q.example.com", "ada:s3cr3t@q.example.com", "https://ada:s3cr3t@", "ftp://ada:s3cr3t@x"} {
		e := p.Explain(TransportDial, with(full(), "proxy", proxy))
		if e.Allowed || strings.Contains(fmt.Sprintf("%+v", e), "s3cr3t") {
			t.Errorf("%+v", e)
		}
	}
}

func FuzzDecide(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "bank")
	copyFiles(f, "../../policies/bank", dir)
	p, err := Load(dir)
	if err != nil {
		f.Fatal(err)
	}
	actions := allActions()
	f.Add(0, "path", "/etc/shadow", "proxy", "https://x:1")
	f.Add(8, "duration", "8h", "time", "2026-03-02T10:00:00Z")
	f.Fuzz(func(t *testing.T, n int, k1, v1, k2, v2 string) {
		a := actions[uint(n)%uint(len(actions))]
		for _, facts := range []Facts{{Fact(k1): v1, Fact(k2): v2}, with(full(), k1, v1, k2, v2)} {
			d := p.Decide(a, facts)
			if d.Reason == "" || strings.ContainsAny(d.Reason, "\n\x1b\x00") || d.Allowed != (d.Err() == nil) {
				t.Errorf("%q", d.Reason)
			}
			_ = p.Explain(a, facts).Text()
		}
	})
}
