package identity

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// REQ G6: what remote access rests on is gone for good; what bundles rest on
// stays.
func TestForgetSupport(t *testing.T) {
	s := mustOpen(t, t.TempDir(), machine(t, idA))
	v := vendor(t, "rss.example:443")
	v.SupportCA = v.ReceiptKey
	if err := s.Pin(v, false); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(s.Dir(), "vendor.json")
	old, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	forgotten := func(when string) {
		t.Helper()
		got, err := s.Vendor()
		if err != nil || got.SupportCA != "" || got.RSS != v.RSS || len(got.Recipients) != 1 || got.ReceiptKey != v.ReceiptKey {
			t.Errorf("%s: %+v, %v", when, got, err)
		}
	}
	for range 2 {
		if err := s.ForgetSupport(); err != nil {
			t.Fatal(err)
		}
		forgotten("forgotten")
	}
	if b, err := os.ReadFile(record); err != nil || strings.Contains(string(b), "support_ca") {
		t.Errorf("on disk: %s, %v", b, err)
	}
	// An old record in its place, another enrolment, a fresh look.
	if err := os.WriteFile(record, old, 0o600); err != nil {
		t.Fatal(err)
	}
	forgotten("the old record was put back")
	other := vendor(t, v.RSS)
	other.SupportCA, other.ReceiptKey = v.SupportCA, v.ReceiptKey
	if err := s.Pin(other, true); err != nil {
		t.Fatal(err)
	}
	forgotten("enrolled again")
	s = mustOpen(t, s.Dir(), machine(t, idA))
	forgotten("opened again")
}

// A system that is not enrolled, and a record that is damaged.
func TestForgetSupportOfNobody(t *testing.T) {
	s := mustOpen(t, t.TempDir(), machine(t, idA))
	if err := os.WriteFile(filepath.Join(s.Dir(), "vendor.json"), []byte(`{"support_ca": "ssh-ed`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.ForgetSupport(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Vendor(); err != ErrNotEnrolled {
		t.Errorf("%v", err)
	}
	v := vendor(t, "rss.example:443")
	v.SupportCA = v.ReceiptKey
	if err := s.Pin(v, false); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Vendor(); err != nil || v.SupportCA != "" {
		t.Errorf("%+v, %v", v, err)
	}
}
