package tables

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The committed table is the one that the text files make.
func TestTableIsUpToDate(t *testing.T) {
	want, err := Source("../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../table.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("table.go is not what formats.txt and vendors.txt make: run go generate ./core/sanitize/tokens")
	}
}

// A mistake is reported with its file and line.
func TestMistakes(t *testing.T) {
	const goodFormat, goodVendor = "x abc_ <a20>\n", "acme a32\n"
	for _, c := range []struct{ formats, vendors, want string }{
		{"x abc_\n", goodVendor, "formats.txt:1: want id"},
		{"\nx abc_ <a20> shiny\n", goodVendor, `formats.txt:2: unknown flag "shiny"`},
		{"x abc_ <z20>\n", goodVendor, "formats.txt:1: unknown class"},
		{"x abc_ <a20\n", goodVendor, "formats.txt:1: unfinished class"},
		{"x abc_ <aten>\n", goodVendor, "formats.txt:1: "},
		{"x a <a20>\n", goodVendor, "shorter than 2 bytes"},
		{goodFormat, "acme\n", "vendors.txt:1: acme has no values"},
		{goodFormat, "ac a32\n", "shorter than 3 bytes"},
		{goodFormat, "acme z32\n", "vendors.txt:1: unknown class"},
		{goodFormat, "acme a32\nacme* a40\n", "vendors.txt:2: acme is there twice"},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"formats.txt": c.formats, "vendors.txt": c.vendors} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Source(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: %v, want %q", c.formats, c.vendors, err, c.want)
		}
	}
}
