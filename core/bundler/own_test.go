package bundler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The product's own state goes along, and none of its keys or secrets.
func TestOwnState(t *testing.T) {
	b := open(t, "session {\n  max_duration = \"2h\"\n}\n")
	root := b.p.Root
	write(t, root.LocalConfig(), "OTHER_PASSWORD=\"tr0ub4dor-and-3\"\nREMOTE_SUPPORT_ENABLE=\"no\"\n")
	write(t, root.Etc("collectors.d", "logs.json"), `{"password": "hunter2-of-the-logs"}`)
	key, err := os.ReadFile(filepath.Join(root.Identity(), "system_key"))
	if err != nil {
		entries, _ := os.ReadDir(root.Identity())
		t.Fatalf("%v; there are %v", err, entries)
	}
	out := filepath.Join(t.TempDir(), "b.tar.zst")
	made, err := makeBundle(t, b, Request{Only: []string{Own}, Output: out, NoEncrypt: true})
	if err != nil {
		t.Fatal(err)
	}
	_, files := contents(t, out)
	var all strings.Builder
	for name, text := range files {
		if rest, ok := strings.CutPrefix(name, Own+"/"); ok {
			all.WriteString(rest + "\n")
		}
		for _, secret := range []string{"tr0ub4dor", "hunter2-of", "PRIVATE KEY", strings.Split(string(key), "\n")[1]} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
	for _, want := range []string{"local.cfg", "policies.d/test.hcl", "plugins.json", "system.json", "audit.jsonl", "queue.json", "collectors.d/logs.json"} {
		if !strings.Contains(all.String(), want+"\n") {
			t.Errorf("%s is not in the bundle; there are\n%s", want, all.String())
		}
	}
	if !strings.Contains(files[Own+"/policies.d/test.hcl"], `max_duration = "2h"`) {
		t.Errorf("the policy was changed: %s", files[Own+"/policies.d/test.hcl"])
	}
	if len(made.Manifest.Files) < 7 {
		t.Errorf("%d files", len(made.Manifest.Files))
	}
}
