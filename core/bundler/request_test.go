package bundler

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/latchstring/latchstring/core/bundle"
	"github.com/latchstring/latchstring/core/bundler/ask"
	"github.com/latchstring/latchstring/core/identity"
	"github.com/latchstring/latchstring/core/relay/client"
	"github.com/latchstring/latchstring/core/relay/relaytest"
)

// requestFile is what an engineer of the relay's vendor asks for.
func requestFile(t *testing.T, relay *relaytest.Relay, system string, items ...ask.Item) string {
	t.Helper()
	key, err := identity.MakeKey(filepath.Join(t.TempDir(), "ada"), "ada")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	cert := &ssh.Certificate{Key: key.PublicKey(), CertType: ssh.UserCert, KeyId: "ada", ValidPrincipals: []string{"latchstring"},
		ValidAfter: uint64(now.Add(-time.Hour).Unix()), ValidBefore: uint64(now.Add(time.Hour).Unix())}
	if err := cert.SignCert(rand.Reader, relay.SupportCA()); err != nil {
		t.Fatal(err)
	}
	data, _, err := ask.Sign(key, cert, ask.Request{System: system, Case: "C-4711", Reason: "the disks are slow", Created: now, Expires: now.Add(time.Hour), SinceS: 3600, Items: items})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "request")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A request is answered item by item: what was granted is collected and
// nothing else, what was refused is in the manifest, and it is good once.
func TestRequestIsAnswered(t *testing.T) {
	relay := relaytest.New(t)
	b := open(t, "bundles {\n  deny_commands = [\"df\"]\n}\n")
	resp, err := client.Enroll(t.Context(), b.System(), relay.Token("sa-1"), "", "sa-1.test", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.System().Pin(resp.Vendor, false); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.log"), "hello vendor, password=Wint3rIsComing!\n")
	write(t, filepath.Join(dir, "private.log"), "not for you\n")
	path := requestFile(t, relay, "sa-1",
		ask.Item{Kind: ask.Include, Value: filepath.Join(dir, "app.log"), Reason: "where it began"},
		ask.Item{Kind: ask.Include, Value: filepath.Join(dir, "private.log")},
		ask.Item{Kind: ask.Include, Value: "/no/such/file"},
		ask.Item{Kind: ask.Command, Value: "uname -s"},
		ask.Item{Kind: ask.Command, Value: "df -h"},
		ask.Item{Kind: ask.Command, Value: "bash -c id"},
		ask.Item{Kind: ask.Collect, Value: "logs"},
	)
	s, err := b.OpenRequest(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.Engineer != "ada" || s.Case != "C-4711" || len(s.Items) != 7 {
		t.Fatalf("%+v", s)
	}
	granted := func() *Granted {
		g := &Granted{Signed: s}
		for i, it := range s.Items {
			yes := i != 1 && i != 6
			a := bundle.AskedItem{Kind: it.Kind, Value: it.Value, Granted: yes}
			if !yes {
				a.Reason = "the customer refused it"
			}
			g.Items = append(g.Items, a)
		}
		return g
	}
	var req Request
	if err := granted().Apply(&req); err != nil {
		t.Fatal(err)
	}
	m, err := makeBundle(t, b, req)
	if err != nil {
		t.Fatal(err)
	}
	d, err := b.Deliver(t.Context(), m.Queued, Delivery{})
	if err != nil {
		t.Fatal(err)
	}
	opened, files := contents(t, fetch(t, relay, d.Bundle), vendorKey(t, relay)...)
	if got := files["requested/uname--s.txt"]; got != "Linux\n" {
		t.Errorf("the command: %q of %v", got, files)
	}
	if got := files["files"+dir+"/app.log"]; !strings.Contains(got, "hello vendor") || strings.Contains(got, "Wint3r") {
		t.Errorf("the file: %q", got)
	}
	for p, text := range files {
		if strings.HasPrefix(p, "logs/") || strings.Contains(text, "not for you") {
			t.Errorf("%s is there: %.100s", p, text)
		}
	}
	asked := opened.Manifest.Asked
	if asked == nil || asked.ID != s.ID || asked.Engineer != "ada" || asked.Reason != "the disks are slow" || asked.Items[1].Granted || !asked.Items[0].Granted {
		t.Errorf("the manifest: %+v", asked)
	}
	states := map[string]bundle.State{}
	for _, x := range opened.Manifest.Missing {
		states[x.Source+x.Name] = x.State
	}
	for want, state := range map[string]bundle.State{"include " + dir + "/private.log": bundle.Refused, "/no/such/file/no/such/file": bundle.Absent, "collect logs": bundle.Refused} {
		if states[want] != state {
			t.Errorf("%s: %s of %v", want, states[want], states)
		}
	}
	// Policy has the last word, also on what was granted.
	for _, x := range []string{"df -h", "bash -c id"} {
		if !slices.ContainsFunc(opened.Manifest.Missing, func(m bundle.Missing) bool { return m.Source == x && m.State == bundle.Refused }) {
			t.Errorf("%s is not refused: %v", x, opened.Manifest.Missing)
		}
	}
	if ev := events(t, b); !strings.Contains(ev, "bundle.asked bundle.created bundle.queued bundle.sent") {
		t.Errorf("audit: %s", ev)
	}
	// Good once.
	var again *ask.AnsweredError
	if _, err := b.OpenRequest(path); !errors.As(err, &again) || again.Answer.Bundle != m.Name || exitCode(err) != 4 {
		t.Errorf("opened again: %v", err)
	}
	req = Request{}
	if err := granted().Apply(&req); err != nil {
		t.Fatal(err)
	}
	if _, err := makeBundle(t, b, req); !errors.As(err, &again) {
		t.Errorf("answered again: %v", err)
	}
}

// A request of another vendor, for another system, or on a system that was
// never enrolled, shows nothing and does nothing.
func TestRequestOfSomebodyElse(t *testing.T) {
	relay, other := relaytest.New(t), relaytest.New(t)
	b := open(t, "")
	item := ask.Item{Kind: ask.Command, Value: "uname"}
	var not *NotEnrolledError
	if _, err := b.OpenRequest(requestFile(t, relay, "sa-1", item)); !errors.As(err, &not) {
		t.Errorf("not enrolled: %v", err)
	}
	enroll(t, b, relay)
	for name, path := range map[string]string{
		"another vendor": requestFile(t, other, "sa-1", item),
		"another system": requestFile(t, relay, "sa-2", item),
	} {
		if _, err := b.OpenRequest(path); exitCode(err) != 4 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if ev := events(t, b); strings.Count(ev, "bundle.refused") != 2 {
		t.Errorf("audit: %s", ev)
	}
	if _, err := b.OpenRequest(requestFile(t, relay, b.System().ID(), item)); err != nil {
		t.Errorf("by the id: %v", err)
	}
}

// Nothing granted, or granted together with other wishes, is no run.
func TestGrantedNothing(t *testing.T) {
	g := &Granted{Signed: &ask.Signed{Request: ask.Request{Items: []ask.Item{{Kind: ask.Command, Value: "uname"}}}},
		Items: []bundle.AskedItem{{Kind: ask.Command, Value: "uname"}}}
	if err := g.Apply(&Request{}); exitCode(err) != 2 {
		t.Errorf("nothing: %v", err)
	}
	g.Items[0].Granted = true
	if err := g.Apply(&Request{Skip: []string{"logs"}}); exitCode(err) != 2 {
		t.Errorf("with --skip: %v", err)
	}
}
