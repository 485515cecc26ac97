package policy

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The words from which policies and questions are made. They are few, so that
// policies meet the questions.
var vocabulary = map[string][]string{
	"remote_access":                {"allowed", "locked_on", "locked_off", "permanently_disabled"},
	"network.rss":                  {"rss.example.com", "*.example.com:443", "rss.other.test:*", "rss.other.test"},
	"network.transports":           {"direct", "https", "so*"},
	"network.proxies":              {"none", "https://p.example.com:3128", "socks5://*:*"},
	"session.roles":                {"admin", "root"},
	"session.users":                {"ada", "bob", "a*"},
	"session.methods":              {"root", "infinibox", "sso"},
	"session.max_duration":         {"30m", "2h", "2d"},
	"session.max_login_age":        {"1m", "10m"},
	"web.addresses":                {"127.0.0.1:443", "10.0.0.5:*"},
	"approval.mode":                {"none", "ask", "deny"},
	"approval.people":              {"1", "2", "3"},
	"approval.timeout":             {"1m", "10m"},
	"engineer.names":               {"eve", "mallory", "e*"},
	"engineer.run_as":              {"support", "root"},
	"engineer.commands":            {"df -h", "df *", "systemctl *", "ps aux | head"},
	"engineer.forwards":            {"127.0.0.1:443", "10.0.0.5:*", "*:22"},
	"engineer.upload_paths":        {"/tmp/**", "/var/*/x", "/**"},
	"engineer.download_paths":      {"/tmp/**", "/var/log/*"},
	"engineer.revoked":             {"serial:7", "name:eve", "key:SHA256:abc", "name:*"},
	"engineer.revocations_max_age": {"1h", "24h"},
	"engineer.recording":           {"best_effort", "required"},
	"bundles.collectors":           {"system", "logs", "s*"},
	"bundles.deny_collectors":      {"system", "logs", "l*"},
	"bundles.destinations":         {"rss.example.com", "*.test"},
	"bundles.max_size":             {"500B", "1MB", "2GiB"},
	"bundles.deny_paths":           {"/var/log/**", "/srv/*", "/**/x"},
	"bundles.deny_commands":        {"df", "ps", "system*"},
	"plugins.states":               {"builtin", "trusted"},
	"plugins.allow":                {"collect/*", "transport/direct", "*/system"},
	"plugins.deny":                 {"collect/logs", "auth/*"},
	"plugins.publishers":           {"acme", "umbrella"},
	"plugins.deny_publishers":      {"umbrella", "a*"},
	"plugins.sha256":               {strings.Repeat("a", 64), strings.Repeat("b", 64)},
	"plugins.revoked":              {strings.Repeat("b", 64)},
	"plugins.min_sandbox":          {"bare", "no-landlock", "full"},
	"notify.always":                {"support_connected", "bundle_sent", "*"},
}

var questions = map[Fact][]string{
	Collector: {"system", "logs"}, RSS: {"rss.example.com:443", "rss.other.test"}, Bytes: {"10", "1000", "2000000"},
	Path: {"/var/log/x", "/tmp/a/b", "/srv/x", "/etc/shadow"}, Role: {"collect", "transport", "auth"}, Name: {"system", "logs", "direct"},
	State: {"builtin", "trusted", "unsigned"}, SHA256: {strings.Repeat("a", 64), strings.Repeat("b", 64)}, Publisher: {"acme", "umbrella"},
	Sandbox: {"bare", "full"}, Command: {"df -h", "systemctl status x", "ps aux | head", "df -h; id"}, Transport: {"direct", "https", "socks"},
	Address: {"rss.example.com:443", "127.0.0.1:443", "10.0.0.5:22"}, Proxy: {"", "https://u:p@p.example.com:3128", "socks5://q.test"},
	User: {"ada", "bob"}, Method: {"root", "infinibox", "sso"}, Roles: {"admin", "root", "viewer,admin", "viewer"}, Duration: {"0s", "1h", "40h"},
	Engineer: {"eve", "mallory"}, Case: {"", "4711"}, RunAs: {"support", "root"}, Purpose: {"", "bundle", "session"}, MFA: {"", "true"},
	Approvers: {"", "ada", "ada,bob", "ada,bob,cyd"}, Event: {"support_connected", "bundle_sent"}, LoginAge: {"", "5m", "12m"},
	Certificate: {"", "serial:7 name:eve key:SHA256:abc", "serial:8 name:mallory key:SHA256:x"}, RevocationsAge: {"", "30m", "30h"},
	Time: {"2026-03-02T10:00:00Z", "2026-03-01T03:00:00Z", "2026-03-06T23:30:00Z"},
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// generate writes a policy file of up to n rules, each on its own line.
func generate(r *rand.Rand, n int) string {
	blocks := map[string][]string{}
	for _, i := range r.Perm(len(keys))[:1+r.IntN(n)] {
		k := keys[i]
		var line string
		words := vocabulary[k.Path()]
		switch k.Kind {
		case Bool:
			line = fmt.Sprintf("%s = %t", k.Name, r.IntN(2) == 0)
		case Enum, Length, Size:
			line = fmt.Sprintf("%s = %q", k.Name, pick(r, words))
		case Number:
			line = fmt.Sprintf("%s = %s", k.Name, pick(r, words))
		case Windows:
			for w := range 1 + r.IntN(2) {
				line += fmt.Sprintf("window \"w%d\" {\n days = [%q]\n from = %q\n to = %q\n zone = %q\n}\n", w,
					pick(r, []string{"mon-fri", "daily", "sun"}), pick(r, []string{"00:00", "08:00", "22:00"}), pick(r, []string{"06:00", "18:00", "24:00"}), pick(r, []string{"UTC", "Asia/Tokyo"}))
			}
		case Redacting:
			line = fmt.Sprintf("redact \"r%d\" {\n literal = \"abc%d\"\n}", r.IntN(3), r.IntN(3))
		default:
			var its []string
			for _, j := range r.Perm(len(words))[:r.IntN(len(words)+1)] {
				its = append(its, fmt.Sprintf("%q", words[j]))
			}
			line = fmt.Sprintf("%s = [%s]", k.Name, strings.Join(its, ", "))
		}
		blocks[k.Block] = append(blocks[k.Block], line)
	}
	var b strings.Builder
	for block, lines := range blocks {
		if block == "" {
			fmt.Fprintln(&b, strings.Join(lines, "\n"))
		} else {
			fmt.Fprintf(&b, "%s {\n%s\n}\n", block, strings.Join(lines, "\n"))
		}
	}
	return b.String()
}

func question(r *rand.Rand) Facts {
	f := Facts{}
	for name, words := range questions {
		if w := pick(r, words); w != "" {
			f[name] = w
		}
	}
	return f
}

func allActions() []Action {
	var as []Action
	for a := range needed {
		as = append(as, a)
	}
	slices.Sort(as)
	return as
}

// forEachGenerated calls f with sets of generated files.
func forEachGenerated(t *testing.T, f func(t *testing.T, r *rand.Rand, files map[string][]byte, p *Policy)) {
	rounds := 80
	if testing.Short() {
		rounds = 50
	}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 8))
		files := map[string][]byte{}
		for i := range 1 + r.IntN(5) {
			files[fmt.Sprintf("%02d.hcl", i)] = []byte(generate(r, 4+r.IntN(12)))
		}
		p, err := Parse(files, clockAt(monday))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		f(t, r, files, p)
		if t.Failed() {
			for name, src := range files {
				t.Logf("-- %s --\n%s", name, src)
			}
			t.Fatalf("seed %d", seed)
		}
	}
}

func noLooser(a, b Limits) bool { // b against a
	return (a.MaxDuration == 0 || b.MaxDuration != 0 && b.MaxDuration <= a.MaxDuration) &&
		(a.MaxBytes == 0 || b.MaxBytes <= a.MaxBytes) && (a.Until.IsZero() || !b.Until.IsZero() && !b.Until.After(a.Until))
}

// Closing is the one action that strictness may allow: locked_off lets
// somebody close what locked_on kept open.
func TestAddingAFileNeverAllowsMore(t *testing.T) {
	allowed := 0
	forEachGenerated(t, func(t *testing.T, r *rand.Rand, files map[string][]byte, p *Policy) {
		more := map[string][]byte{"zz.hcl": []byte(generate(r, 10))}
		for n, s := range files {
			more[n] = s
		}
		q, err := Parse(more, clockAt(monday))
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			facts := question(r)
			for _, a := range allActions() {
				if a == SessionClose {
					continue
				}
				was, is := p.Decide(a, facts), q.Decide(a, facts)
				if is.Allowed {
					allowed++
				}
				if is.Allowed && !was.Allowed {
					t.Errorf("%s became allowed by %s\nwas refused: %v\nfacts %v", a, more["zz.hcl"], was.Err(), facts)
				}
				if is.Allowed && (!noLooser(was.Limits, is.Limits) || is.Duties.Approvals < was.Duties.Approvals || was.Duties.Record && !is.Duties.Record) {
					t.Errorf("%s became looser: %+v %+v -> %+v %+v", a, was.Limits, was.Duties, is.Limits, is.Duties)
				}
			}
		}
	})
	if allowed < 1000 {
		t.Errorf("only %d questions were allowed: the generated policies are too strict to show anything", allowed)
	}
}

func TestOrderOfFilesDoesNotMatter(t *testing.T) {
	forEachGenerated(t, func(t *testing.T, r *rand.Rand, files map[string][]byte, p *Policy) {
		shuffled := map[string][]byte{}
		order := r.Perm(len(files))
		for i := range order {
			shuffled[fmt.Sprintf("%02d.hcl", i)] = files[fmt.Sprintf("%02d.hcl", order[i])]
		}
		q, err := Parse(shuffled, clockAt(monday))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			facts := question(r)
			for _, a := range allActions() {
				x, y := p.Decide(a, facts), q.Decide(a, facts)
				if x.Allowed != y.Allowed || !sameLimits(x.Limits, y.Limits) || x.Duties != y.Duties {
					t.Errorf("%s: %+v, in another order %+v", a, x, y)
				}
			}
		}
		if changes := Diff(p, q); len(changes) > 0 {
			t.Errorf("differ: %+v", changes)
		}
	})
}

func sameLimits(a, b Limits) bool {
	return a.MaxDuration == b.MaxDuration && a.MaxBytes == b.MaxBytes && a.Until.Equal(b.Until)
}

// without builds the policy again without some of its lines.
func without(p *Policy, rules []Rule) *Policy {
	var said []statement
	for i := range p.merged {
		for _, s := range p.merged[i].said {
			if s.fromFile() && !slices.ContainsFunc(rules, func(r Rule) bool { return r.Source == s.rule.Source }) {
				said = append(said, s)
			}
		}
	}
	return build(p.files, said, options{now: p.now})
}

// Removing the line that explain names changes the decision: the next line in
// Also or another key refuses then, or nothing does. Removing all lines that
// it names allows the action, and each of them alone keeps it refused.
func TestExplainNamesTheLinesThatMatter(t *testing.T) {
	checked := 0
	forEachGenerated(t, func(t *testing.T, r *rand.Rand, files map[string][]byte, p *Policy) {
		for range 4 {
			facts := question(r)
			for _, a := range allActions() {
				d, e := p.Decide(a, facts), p.Explain(a, facts)
				if !reflect.DeepEqual(d, e.Decision) {
					t.Fatalf("decided %+v, explained %+v", d, e.Decision)
				}
				if d.Allowed {
					continue
				}
				if d.Rule.Source.Line > 0 {
					if got := without(p, []Rule{d.Rule}).Decide(a, facts); !got.Allowed && got.Rule == d.Rule {
						t.Errorf("%s: without %v nothing changes: %+v", a, d.Rule, got)
					}
				}
				if len(e.Change) == 0 {
					t.Errorf("%s: no word on what would have to change: %v", a, d.Err())
				}
				if e.Fixed {
					if without(p, e.Blocking).Decide(a, facts).Allowed {
						t.Errorf("%s is said to be fixed, and is not: %+v", a, e)
					}
					continue
				}
				checked++
				if got := without(p, e.Blocking).Decide(a, facts); !got.Allowed {
					t.Errorf("%s: still refused without all blocking lines: %v", a, got.Err())
				}
				for i := range e.Blocking {
					rest := slices.Delete(slices.Clone(e.Blocking), i, i+1)
					if without(p, rest).Decide(a, facts).Allowed {
						t.Errorf("%s: %v is named and blocks nothing", a, e.Blocking[i])
					}
				}
			}
		}
	})
	if checked < 1000 {
		t.Errorf("only %d refusals were checked", checked)
	}
}

// The merged value refuses exactly when one of the files alone does.
func TestMergeIsTheSumOfItsFiles(t *testing.T) {
	forEachGenerated(t, func(t *testing.T, r *rand.Rand, _ map[string][]byte, p *Policy) {
		for range 5 {
			facts := question(r)
			for _, a := range allActions() {
				req, complaint := p.ask(a, facts)
				if complaint != "" {
					continue
				}
				for _, k := range keysOf[a] {
					m := &p.merged[k.index]
					if !m.spoke || k.deny == nil || a == SessionClose {
						continue
					}
					alone := slices.ContainsFunc(m.said, func(s statement) bool { return k.deny(&s.value, &req) != "" })
					if merged := k.deny(&m.value, &req) != ""; merged != alone {
						t.Errorf("%s on %s: merged refuses %t, the files %t", k.Path(), a, merged, alone)
					}
				}
			}
		}
	})
}

// Diff of a policy and the same with one file more never says looser.
func TestDiffOfAnAddedFileIsStricter(t *testing.T) {
	forEachGenerated(t, func(t *testing.T, r *rand.Rand, files map[string][]byte, p *Policy) {
		more := map[string][]byte{"zz.hcl": []byte(generate(r, 10))}
		for n, s := range files {
			more[n] = s
		}
		q, err := Parse(more, clockAt(monday))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range Diff(p, q) {
			if c.Direction == Looser {
				t.Errorf("%s (%s)", c.Text, more["zz.hcl"])
			}
		}
		for _, c := range Diff(q, p) {
			if c.Direction == Stricter {
				t.Errorf("back: %s (%s)", c.Text, more["zz.hcl"])
			}
		}
	})
}

func BenchmarkDecide100Files(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	files := map[string][]byte{}
	for i := range 100 {
		files[fmt.Sprintf("%03d.hcl", i)] = []byte(generate(r, 12))
	}
	p, err := Parse(files, clockAt(monday))
	if err != nil {
		b.Fatal(err)
	}
	var qs []Facts
	for range 64 {
		qs = append(qs, question(r))
	}
	as := allActions()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Decide(as[i%len(as)], qs[i%len(qs)])
	}
}

// All of the hundred files speak, and all of them allow.
func BenchmarkDecideAllowed100Files(b *testing.B) {
	files := map[string][]byte{}
	for i := range 100 {
		files[fmt.Sprintf("%03d.hcl", i)] = fmt.Appendf(nil, `
network { rss = ["rss.example.com", "h%d-*.example.com"] }
session {
  roles = ["admin"]
  users = ["ada", "u%d*"]
  max_duration = "8h"
  window "day" {
    days = ["mon-fri"]
    from = "08:00"
    to = "18:0%d"
    zone = "Europe/Zurich"
  }
}
bundles { deny_paths = ["/srv/x%d/**", "/**/*.secret%d"] }`, i, i, i%10, i, i)
	}
	p, err := Parse(files, clockAt(monday))
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range []Action{SessionOpen, HostOpen, BundleSend} {
		b.Run(string(a), func(b *testing.B) {
			b.ReportAllocs()
			f := full()
			for b.Loop() {
				if d := p.Decide(a, f); !d.Allowed {
					b.Fatal(d.Err())
				}
			}
		})
	}
}

func BenchmarkLoad1000Rules(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	files := map[string][]byte{}
	rules := 0
	for i := 0; rules < 1000; i++ {
		src := []byte(generate(r, 20))
		files[fmt.Sprintf("%03d.hcl", i)] = src
		p, err := Parse(map[string][]byte{"x.hcl": src})
		if err != nil {
			b.Fatal(err)
		}
		for j := range p.merged {
			for _, s := range p.merged[j].said {
				if s.fromFile() {
					rules++
				}
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(files); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rules), "rules")
	b.ReportMetric(float64(len(files)), "files")
}
