package latchstring

import (
	"strings"
	"testing"
)

const module = "github.com/latchstring/latchstring/"

// importRule says what the packages below a path must not import, and why.
// Paths are relative to the module for our own packages and whole for others.
// Test files are bound by the rules too, unless the rule is about production
// code only.
type importRule struct {
	in     string   // packages below this path
	except []string // but not these
	not    []string // must not import anything below these
	tests  bool     // test files are held to it as well
	why    string
}

var importRules = []importRule{
	{in: "sdk", not: []string{"core", "plugins", "cmd"}, tests: true,
		why: "a plugin author gets the sdk alone; what it pulls in, he pulls in"},
	{in: "plugins", not: []string{"core", "cmd", "internal"}, tests: true,
		why: "the built-in plugins live by the same rules as everybody's"},
	{in: "core", not: []string{"plugins", "cmd"},
		why: "core runs plugins it does not know, for commands it does not know"},
	{in: "core", not: []string{"sdk"}, except: []string{"core/host", "core/testconn"},
		why: "only the host speaks to plugins; Test Connection explains their failures"},
	{in: "core/policy", not: leafMayNot("core/policy"), why: leafWhy},
	{in: "core/audit", not: leafMayNot("core/audit"), why: leafWhy},
	{in: "core/sanitize", not: leafMayNot("core/sanitize"), why: leafWhy},
	{in: "core/identity", not: leafMayNot("core/identity"), why: leafWhy},
	{in: "core/record", not: leafMayNot("core/record"), why: leafWhy},
	{in: "core/relay", not: []string{"core/host", "core/bundle", "core/bundler", "core/sanitize", "core/access"},
		why: "the relay moves ciphertext; it has no business with what is inside"},
	{in: "core/web", not: []string{"core/host", "core/policy", "core/session", "core/tunnel", "core/access", "core/bundle", "core/bundler", "core/identity"},
		why: "the web pages see only what the local API shows"},
	{in: "core/control", not: []string{"core/host", "core/policy", "core/session", "core/bundle", "core/agent"},
		why: "the local API is an interface; the agent implements it"},
	{in: "core/bundle", not: []string{"core/host", "core/deliver", "core/agent"},
		why: "the pipeline takes collectors as an interface of its own and knows no destination"},
	{in: "", except: []string{"cmd"}, not: []string{"github.com/urfave/cli"},
		why: "a command line is a way in, not a thing to build on"},
	{in: "", except: []string{"core/bundle"}, not: []string{"github.com/mholt/archives"},
		why: "the archive library swallows errors; one place knows how to live with it"},
	{in: "", except: []string{"sdk", "core/host", "internal", "testdata/hostile"}, not: []string{"github.com/hashicorp/go-plugin", "github.com/hashicorp/go-hclog", "internal/wire", "internal/handoff"},
		why: "go-plugin is a detail of the host and the sdk"},
	{in: "", except: []string{"core/host", "core/access", "plugins/collect", "testdata", "bench", "tools"}, not: []string{"os/exec"},
		why: "processes are started in three places, where they are bounded and audited"},
	{in: "", except: []string{"core/host"}, not: []string{"github.com/landlock-lsm", "golang.org/x/net/bpf"},
		why: "one place builds sandboxes"},
}

const leafWhy = "it is a leaf: security rests on it, so it must be readable by itself"

// leafMayNot lists everything of ours that a leaf package must not import.
func leafMayNot(self string) []string {
	var not []string
	for _, d := range dirsBelow("core") {
		if d != "core/durable" && d != "core/paths" && !within(d, self) && !within(self, d) {
			not = append(not, d)
		}
	}
	return append(not, "sdk", "plugins", "cmd", "internal/wire", "internal/handoff")
}

func TestImportRules(t *testing.T) {
	files := sources(t)
	for _, rule := range importRules {
		for _, f := range files {
			if f.test && !rule.tests || !within(f.pkg, rule.in) || anyWithin(f.pkg, rule.except) {
				continue
			}
			for _, imp := range f.imports {
				own := strings.TrimPrefix(imp, module)
				if anyWithin(own, rule.not) {
					t.Errorf("%s imports %s: %s", f.path, own, rule.why)
				}
			}
		}
	}
}

// A plugin or an sdk package reaches the host's packages through nothing but
// the two internal ones that carry the protocol.
func TestEveryRuleStillApplies(t *testing.T) {
	for _, rule := range importRules {
		if rule.why == "" || len(rule.not) == 0 {
			t.Errorf("rule for %q has no reason or forbids nothing", rule.in)
		}
	}
}

func within(path, dir string) bool {
	return dir == "" || path == dir || strings.HasPrefix(path, dir+"/")
}

func anyWithin(path string, dirs []string) bool {
	for _, d := range dirs {
		if within(path, d) {
			return true
		}
	}
	return false
}
