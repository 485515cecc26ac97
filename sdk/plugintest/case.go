package plugintest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/internal/wire/pluginv1"
	"github.com/latchstring/latchstring/sdk/config"
	"github.com/latchstring/latchstring/sdk/failure"
)

// tb is what a case needs of a test. *testing.T has it, and so has the
// runner of plugincheck.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(func())
	Failed() bool
}

// aCase is one rule of the contract and its test.
type aCase struct {
	name string
	rule string // what is demanded, for reports
	run  func(c *check)
}

// subject is what is tested: an implementation or a binary, with one role.
type subject struct {
	role  string
	open  func() (*link, error)             // a fresh plugin, not configured
	print func() (stdout string, err error) // what `describe` prints; nil in process
}

// check is one run of a case.
type check struct {
	tb
	subject
	opts     Options
	canaries []string
	desc     wire.RoleDescription
}

// cases returns the suite of a role.
func cases(role string) []aCase {
	all := slices.Clone(commonCases)
	switch role {
	case wire.RoleTransport:
		return append(all, transportCases...)
	case wire.RoleCollect:
		return append(all, collectCases...)
	case wire.RoleAuth:
		return append(all, authCases...)
	default:
		return append(all, eventSinkCases...)
	}
}

// runSuite runs the suite of a role as subtests.
func runSuite(t *testing.T, role string, o Options, newImpl func() any) {
	t.Helper()
	o.Short = o.Short || testing.Short()
	for _, one := range cases(role) {
		t.Run(one.name, func(t *testing.T) {
			if slices.Contains(o.Skip, one.name) {
				t.Skip("the author skips this case")
			}
			one.run(&check{tb: t, opts: o, subject: subject{
				role: role, open: func() (*link, error) { return inProcess(role, newImpl) },
			}})
		})
	}
}

// ctx returns a context that bounds one step of a case.
func (c *check) ctx(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	c.Cleanup(cancel)
	return ctx
}

// raw starts a plugin and leaves it without configuration.
func (c *check) raw() *link {
	c.Helper()
	l, err := c.open()
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.Cleanup(l.close)
	return l
}

// start starts a plugin and configures it, with the proxy at the address.
func (c *check) start(proxy string) *link {
	c.Helper()
	return c.startWith(c.opts.Config, proxy)
}

func (c *check) startWith(conf map[string]any, proxy string) *link {
	c.Helper()
	l := c.raw()
	c.describe(l)
	data, err := settings(conf, proxy, c.secretSettings(), c.canary)
	if err != nil {
		c.Fatalf("settings for the test: %v", err)
	}
	if len(c.desc.Config) == 0 && string(data) == "{}" {
		return l
	}
	resp, err := l.role.Configure(c.ctx(10*time.Second), &pluginv1.ConfigureRequest{Json: data})
	if err != nil {
		c.Fatalf("configure: %v", err)
	}
	var problems config.Problems
	for _, p := range resp.GetProblems() {
		problems.Add(p.GetField(), "%s", p.GetMessage())
	}
	c.noCanary("a problem of the configuration", problems.Error())
	if len(problems) > 0 {
		c.Fatalf("the settings of this test are refused: %v; give settings that work in Options.Config (plugincheck: in the file of --options)", problems)
	}
	return l
}

// describe asks the plugin for the description of its role.
func (c *check) describe(l *link) {
	c.Helper()
	resp, err := l.role.Describe(c.ctx(10*time.Second), &pluginv1.DescribeRequest{})
	if err != nil {
		c.Fatalf("describe: %v", err)
	}
	d, err := wire.ParseDescription(resp.GetJson())
	if err != nil {
		c.Fatalf("%v", err)
	}
	c.noCanary("the description", string(resp.GetJson()))
	for _, r := range d.Roles {
		if r.Role == c.role && (c.desc.Name == "" || c.desc.Name == r.Name) {
			c.desc = r
			return
		}
	}
	c.Fatalf("the description does not hold the role %s that is served", c.role)
}

func (c *check) secretSettings() []string {
	var s config.Schema
	if len(c.desc.Config) == 0 || json.Unmarshal(c.desc.Config, &s) != nil {
		return nil
	}
	return s.Secrets()
}

// canary remembers a secret that must not show up, or makes one.
func (c *check) canary(given string) string {
	if given == "" {
		var b [8]byte
		rand.Read(b[:])
		given = "canary-" + hex.EncodeToString(b[:])
	}
	if len(given) >= 6 && !slices.Contains(c.canaries, given) {
		c.canaries = append(c.canaries, given)
	}
	return given
}

// noCanary fails when text holds one of the secrets, in any form in which it
// might get there.
func (c *check) noCanary(where, text string) {
	c.Helper()
	for _, canary := range c.canaries {
		for form, needle := range forms(canary) {
			if strings.Contains(text, needle) {
				c.Errorf("%s holds a secret of the settings or of the user (%s)", where, form)
			}
		}
	}
}

// forms are the ways in which a secret turns up: as it is, for URLs, and in
// base64, where it begins at any of three bits.
func forms(s string) map[string]string {
	out := map[string]string{
		"in clear": s, "URL-encoded": url.QueryEscape(s), "quoted": strings.Trim(fmt.Sprintf("%q", s), `"`),
		"in hex": hex.EncodeToString([]byte(s)),
	}
	for shift := range 3 {
		enc := base64.StdEncoding.EncodeToString(append(make([]byte, shift), s...))
		// The ends mix with their neighbours.
		enc = strings.TrimRight(enc, "=")
		if from, to := (shift*8+5)/6, len(enc)-1; to-from >= 6 {
			out[fmt.Sprintf("in base64, shifted by %d", shift)] = enc[from:to]
		}
	}
	return out
}

// failure checks an error that a plugin reported: that it is one, that it has
// one of the codes, words, and no secret.
func (c *check) failure(what string, f *pluginv1.Failure, codes ...failure.Code) {
	c.Helper()
	err := wire.ErrorOf(f)
	if err == nil {
		c.Errorf("%s: no error", what)
		return
	}
	var e *failure.Error
	errors.As(err, &e)
	c.noCanary(what+": the error", e.Message+" "+e.Hint)
	if e.Message == "" {
		c.Errorf("%s: an error without a message", what)
	}
	if e.Code == failure.Panicked {
		c.Errorf("%s: %s", what, e.Message)
		return
	}
	if len(codes) > 0 && !slices.Contains(codes, e.Code) {
		c.Errorf("%s: error code %q, want one of %q; its message: %s", what, e.Code, codes, e.Message)
	}
}

// within runs try up to five times and fails when it never took less than
// limit. A busy machine delays the innocent now and then, not five times.
func (c *check) within(what string, limit time.Duration, try func() time.Duration) {
	c.Helper()
	var best time.Duration
	tries := 5
	if c.opts.testOnlyHurry {
		tries = 1
	}
	for i := range tries {
		took := try()
		if i == 0 || took < best {
			best = took
		}
		if best <= limit {
			return
		}
	}
	c.Errorf("%s took %v, want at most %v", what, best.Round(time.Millisecond), limit)
}

// patience is how long to wait for what should come at once.
func (c *check) patience() time.Duration {
	if c.opts.testOnlyHurry {
		return 300 * time.Millisecond
	}
	return 5 * time.Second
}

// settled waits until the plugin's process has no more descriptors than allowed.
func (c *check) settled(l *link, most int) {
	c.Helper()
	deadline := time.Now().Add(c.patience())
	for {
		n, ok := l.descriptors()
		if !ok || n <= most {
			return
		}
		if time.Now().After(deadline) {
			c.Errorf("%d descriptors are open, at most %d were before: %s", n, most, l.openFiles())
			return
		}
		runtime.GC() // pools of ours give back what they hold
		time.Sleep(20 * time.Millisecond)
	}
}

// commonCases hold for every role.
var commonCases = []aCase{
	{"describe", "describe prints valid JSON, the same as the running plugin says", testDescribe},
	{"bad-config", "settings that do not work are refused, by field, without values", testBadConfig},
	{"secrets-at-rest", "no secret is in the arguments, the environment or the log of the process", testSecretsAtRest},
}

func testDescribe(c *check) {
	l := c.raw()
	c.describe(l)
	if c.print == nil {
		return
	}
	out, err := c.print()
	if err != nil {
		c.Fatalf("describe: %v", err)
	}
	d, err := wire.ParseDescription([]byte(out))
	if err != nil {
		c.Fatalf("%v; is there something else on stdout?", err)
	}
	if d.Version == "" || d.SDK == "" || !slices.Contains(d.Protocols, wire.Version1) {
		c.Errorf("describe: version %q, sdk %q, protocols %v", d.Version, d.SDK, d.Protocols)
	}
}

func testBadConfig(c *check) {
	c.describe(c.raw())
	secret := c.canary("")
	bad := map[string]any{"no_such_setting_here": secret}
	for _, name := range c.secretSettings() {
		if !strings.Contains(name, ".") {
			bad[name] = []string{secret} // of the wrong type
		}
	}
	for _, conf := range []any{bad, []string{secret}, secret} {
		data, err := json.Marshal(conf)
		if err != nil {
			c.Fatalf("%v", err)
		}
		resp, err := c.raw().role.Configure(c.ctx(10*time.Second), &pluginv1.ConfigureRequest{Json: data})
		if err != nil {
			c.Fatalf("configure: %v", err)
		}
		if len(resp.GetProblems()) == 0 {
			c.Errorf("nonsense was accepted as settings: a %T", conf)
		}
		for _, p := range resp.GetProblems() {
			c.noCanary("a problem of the configuration", p.GetField()+p.GetMessage())
		}
	}
}

func testSecretsAtRest(c *check) {
	proxy := c.proxy(wellBehaved)
	l := c.start(proxy)
	if l.kill == nil {
		c.Skipf("needs a process of its own; plugincheck BINARY tests this")
	}
	if len(c.canaries) == 0 {
		c.Skipf("no setting is secret")
	}
	for _, file := range []string{"cmdline", "environ"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", l.pid, file))
		if err != nil {
			c.Logf("cannot look: %v", err)
			continue
		}
		c.noCanary(file, string(data))
	}
	c.noCanary("the log", l.stderr.String())
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", l.pid))
	if err == nil && !coreIsOff(string(limits)) {
		c.Errorf("the process may leave a core file, with its secrets")
	}
}

// coreIsOff reads /proc/PID/limits.
func coreIsOff(limits string) bool {
	for line := range strings.Lines(limits) {
		if rest, ok := strings.CutPrefix(line, "Max core file size"); ok {
			return strings.HasPrefix(strings.TrimSpace(rest), "0 ")
		}
	}
	return false
}
