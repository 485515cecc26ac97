package host

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsOfTransports(t *testing.T) {
	b := newBench(t)
	path := b.opt.Root.Etc("transports.d", "https.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ file, said, want, fails string }{
		{said: `{"proxy":"p:1"}`, want: `{"proxy":"p:1"}`},
		{file: `{"kerberos":{"realm":"R"},"proxy":"old:1"}`, said: `{"proxy":"p:1"}`, want: `{"kerberos":{"realm":"R"},"proxy":"p:1"}`},
		{file: `{"timeout":"5s"}`, want: `{"timeout":"5s"}`},
		{file: `null`, said: `{"proxy":"p:1"}`, want: `{"proxy":"p:1"}`},
		{file: `[1]`, fails: "no JSON object"},
	} {
		os.Remove(path)
		if tt.file != "" {
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := b.settingsOf("https", json.RawMessage(tt.said))
		if tt.fails != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fails) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v", tt.file, err)
			}
			continue
		}
		var have, want any
		json.Unmarshal(got, &have)
		json.Unmarshal([]byte(tt.want), &want)
		if diff := cmp.Diff(want, have); err != nil || diff != "" {
			t.Errorf("%s and %s: %v %s", tt.file, tt.said, err, diff)
		}
	}
}
