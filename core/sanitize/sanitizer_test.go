package sanitize

import (
	"context"
	"strings"
	"testing"
)

func sanitizeText(t testing.TB, s *Sanitizer, name, in string) string {
	t.Helper()
	var out strings.Builder
	if _, err := s.Copy(context.Background(), &out, strings.NewReader(in), File{Name: name}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func plain(t testing.TB) *Sanitizer {
	t.Helper()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHidesTheObvious(t *testing.T) {
	s := plain(t)
	for _, c := range []struct{ in, secret string }{
		{"password = foo\n", "foo"},
		{`{"db":{"password":"hunter2","port":5432}}`, "hunter2"},
		{"postgres://app:s3cr3t@db/app", "s3cr3t"},
		{"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"},
		{"token: ghp_zr739sb931ghiu01bxlilsr4qvfmq6f9b21x", "ghp_zr739sb931ghiu01bxlilsr4qvfmq6f9b21x"},
	} {
		out := sanitizeText(t, s, "", c.in)
		if strings.Contains(out, c.secret) || !strings.Contains(out, "REDACTED_") {
			t.Errorf("%q became %q", c.in, out)
		}
		if strings.Count(out, "\n") != strings.Count(c.in, "\n") {
			t.Errorf("%q lost lines: %q", c.in, out)
		}
	}
}

// The host behind a password becomes a pseudonym although the two together pass
// for an e-mail address, whose beginning is the secret's.
func TestHostsBehindPasswords(t *testing.T) {
	s, err := New(Options{Key: &Key{5}})
	if err != nil {
		t.Fatal(err)
	}
	out := sanitizeText(t, s, "", "url = rabbit://app:r4bb!t@ctl1.lab.sundell.net:5672,app:r4bb!t@ctl2.lab.sundell.net:5672//\n")
	for _, kept := range []string{"r4bb", "sundell", "ctl1", "ctl2"} {
		if strings.Contains(out, kept) {
			t.Errorf("%s is still in %s", kept, out)
		}
	}
	if strings.Count(out, ".net:5672") != 2 || strings.Count(out, "h-") < 4 {
		t.Errorf("hosts are gone: %s", out)
	}
}
