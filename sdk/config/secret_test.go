package config

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

const hunter = "hunter2-hunter2"

// A Secret does not come out, whatever prints it.
func TestSecretDoesNotPrint(t *testing.T) {
	s := NewSecret(hunter)
	type outer struct {
		Public  Secret
		private Secret
		Ptr     *Secret
		List    []Secret
		Map     map[string]Secret
		Any     any
	}
	o := outer{s, s, &s, []Secret{s}, map[string]Secret{"a": s}, s}
	for _, v := range []any{s, &s, o, &o, []any{s, &s, o}, fmt.Errorf("wrapped: %v", s)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%c", "%U", "%b", "%o", "%e", "%t", "%p", "%T", "%10.3s", "%w"} {
			if out := fmt.Sprintf(verb, v); leaks(out) {
				t.Errorf("Sprintf(%q, %T) shows it: %s", verb, v, out)
			}
		}
		if out := fmt.Sprint(v) + fmt.Sprintln(v); leaks(out) {
			t.Errorf("Sprint(%T) shows it: %s", v, out)
		}
	}
	if s.String() != "[secret]" || (Secret{}).String() != "" {
		t.Errorf("String: %q, %q", s, Secret{})
	}
}

func leaks(out string) bool {
	hexed := fmt.Sprintf("%x", hunter)
	bytesDec := strings.Trim(fmt.Sprint([]byte(hunter)[:4]), "[]")
	return strings.Contains(out, hunter) || strings.Contains(strings.ToLower(out), hexed[:12]) ||
		strings.Contains(out, bytesDec) || strings.Contains(out, "hunter2")
}

func TestSecretDoesNotLog(t *testing.T) {
	s := NewSecret(hunter)
	for _, mk := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		l := slog.New(mk(&b))
		l.Info("x", "s", s, "p", &s, "in", struct{ S Secret }{s}, "list", []Secret{s})
		l.With("s", s).WithGroup("g").Info("y", slog.Any("s", s))
		if leaks(b.String()) {
			t.Errorf("logged: %s", b.String())
		}
	}
}

func TestSecretDoesNotMarshal(t *testing.T) {
	s := NewSecret(hunter)
	for _, v := range []any{s, &s, struct{ S Secret }{s}, map[string]any{"s": s}} {
		out, err := json.Marshal(v)
		if !errors.Is(err, ErrSecret) || leaks(string(out)) {
			t.Errorf("json of %T: %s, %v", v, out, err)
		}
		if out, err := xml.Marshal(v); err == nil || leaks(string(out)) {
			t.Errorf("xml of %T: %s, %v", v, out, err)
		}
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(struct{ S Secret }{s}); err == nil || leaks(b.String()) {
		t.Errorf("gob: %v", err)
	}
	if out, err := s.MarshalBinary(); err == nil || out != nil {
		t.Errorf("binary: %q, %v", out, err)
	}
	if out, err := s.MarshalText(); err == nil || out != nil {
		t.Errorf("text: %q, %v", out, err)
	}
}

func TestSecretValue(t *testing.T) {
	s, same := NewSecret(hunter), NewSecret(hunter)
	if reflect.TypeFor[Secret]().Comparable() {
		t.Error("secrets compare with ==")
	}
	if s.Reveal() != hunter || !s.Equal(same) || s.Equal(NewSecret("other")) || s.Equal(Secret{}) || !(Secret{}).Equal(NewSecret("")) {
		t.Error("Reveal or Equal is wrong")
	}
	var seen string
	s.Use(func(b []byte) { seen = string(b) })
	if seen != hunter {
		t.Errorf("Use gave %q", seen)
	}
	backing := []byte(hunter)
	s = SecretBytes(backing)
	copied := s
	s.Zero()
	if !copied.IsZero() || copied.Reveal() != "" || bytes.ContainsAny(backing, "hunter2") {
		t.Error("Zero left something behind")
	}
	s.Zero() // again
	(Secret{}).Zero()
	(Secret{}).Use(func(b []byte) {
		if b != nil {
			t.Error("a value out of nothing")
		}
	})
}

func TestSecretUnmarshal(t *testing.T) {
	var s Secret
	if err := json.Unmarshal([]byte(`"a\nb"`), &s); err != nil || s.Reveal() != "a\nb" {
		t.Errorf("%v, %q", err, s.Reveal())
	}
	if err := json.Unmarshal([]byte(`["hunter2-hunter2"]`), &s); err == nil || leaks(err.Error()) {
		t.Errorf("wrong type: %v", err)
	}
}
