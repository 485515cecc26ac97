package outbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/core/host"
)

// Mistakes are named with file and line, and no error quotes what may be a secret.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"{\n \"events\": [\"nonsense!\"]\n}":      "a.json:2: events:",
		"{\n\n \"keep\": 0}":                      "a.json:3: keep: want 1 to",
		"{\"keep\": \"hunter2\"}":                 "a.json:1: keep: want a whole number",
		"{\n\"x\": 1\n\"password\": \"hunter2\"}": "a.json:3: it is no JSON",
		"{\n\"x\": 1,\n\"x\": 2}":                 "a.json:3: \"x\" is said twice, first in line 1",
		"[\"hunter2\"]":                           "a.json:1: it is no JSON object",
		"{}\nhunter2":                             "a.json:2: something stands behind",
		"":                                        "a.json:1: it is no JSON",
		"{\"plugin\": \"../hunter2\"}":            "a.json:1: plugin:",
		`{"events":[]}{"password":"hunter2"}`:     "a.json:1: something stands behind",
		strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20): "nested too deeply",
	} {
		l := newLab(t, map[string]string{"a": text})
		_, broken, err := New(l.options()).Settings()
		if text == "{\n\"x\": 1,\n\"x\": 2}" {
			want = `a.json:3: "x" is said twice, first in line 2`
		}
		if err == nil || !strings.Contains(err.Error(), want) || len(broken) != 1 || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestFilesThatOthersReadOrWrite(t *testing.T) {
	l := newLab(t, map[string]string{"a": "{\n\"array\": {\n\"event_password\": \"hunter2\"}}", "b": "{}"})
	os.Chmod(filepath.Join(l.dir, "events.d", "a.json"), 0o644)
	os.Chmod(filepath.Join(l.dir, "events.d", "b.json"), 0o666)
	all, broken, err := New(l.options()).Settings()
	if len(all) != 0 || len(broken) != 2 || err == nil || !strings.Contains(err.Error(), "a.json:3: it holds a password (array.event_password)") ||
		!strings.Contains(err.Error(), "can be written by others") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v, %v", broken, err)
	}
}

// The array of the login gets events without a file of its own, and says so when
// it has no user for them.
func TestArrayOfTheLogin(t *testing.T) {
	l := newLab(t, nil)
	array := filepath.Join(l.dir, "infinibox.json")
	os.WriteFile(array, []byte(`{"addresses":["10.0.0.1","10.0.0.2:8443"],"pin":"x","product":"infiniguard"}`), 0o600)
	all, _, err := New(l.options()).Settings()
	if err != nil || len(all) != 1 || !strings.Contains(all[0].Missing, "event_user") {
		t.Fatalf("%+v, %v", all, err)
	}
	states, err := New(l.options()).States()
	if err != nil || !strings.Contains(states[0].Error, "events do not reach the array") {
		t.Errorf("%+v, %v", states, err)
	}
	os.WriteFile(array, []byte(`{"addresses":["10.0.0.1","10.0.0.2:8443"],"event_user":"u","event_password":"p","consent":["ada"]}`), 0o600)
	l.write("smtp", `{"to":["x@example.com"]}`)
	l.write("mail2", `{"plugin":"smtp","host":"mx.example.com","from":"a@example.com"}`)
	all, _, err = New(l.options()).Settings()
	if err != nil || len(all) != 3 || all[0].Name != "infinibox" || all[0].Missing != "" || len(all[0].Arrays()) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if got := string(all[0].config["array"]); strings.Contains(got, "consent") || !strings.Contains(got, `"event_user":"u"`) {
		t.Error("the array's settings are", got)
	}
	if len(all[1].Arrays()) != 0 || len(all[2].Arrays()) != 2 || all[2].Events[0] != "hardware" {
		t.Errorf("%+v", all[1:])
	}
	if all[1].Public("password") != "" || all[1].Public("host") != "mx.example.com" {
		t.Error("what is public is not")
	}
	// Another array is told everything anew: a password goes to no other place.
	l.write("infinibox", `{"array":{"addresses":["10.9.9.9"]}}`)
	all, _, err = New(l.options()).Settings()
	if err != nil || all[0].Missing == "" || strings.Contains(string(all[0].config["array"]), "event_password") {
		t.Errorf("%+v, %v", all[0], err)
	}
}

// A mistake that the plugin finds is named with file and line too.
func TestMistakesThatThePluginFinds(t *testing.T) {
	o := New(Options{})
	s := Settings{File: "/etc/x.json", lines: map[string]int{"array.pin": 7}}
	text, _ := o.explain(s, errors.Join(&host.ConfigError{ID: "eventsink/x", Problems: []host.ConfigProblem{{Field: "array.pin", Message: "write it"}, {Field: "to", Message: "is required"}}}))
	if text != "/etc/x.json:7: array.pin: write it; /etc/x.json: to: is required" {
		t.Error(text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"plugin":"syslog","events":["session"],"keep":5,"array":{"pin":"x","a":[{"b":1}]}}`))
	f.Add([]byte("{\n\"a\":[1,2,{\"x\":null}]}"))
	f.Add([]byte(`{"a":{"a":{"a":{"a":1}}}}x`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parse("f", data)
		if err != nil {
			var m *MistakeError
			if !errors.As(err, &m) || m.File != "f" || m.Line < 0 {
				t.Fatalf("%v is no mistake with its file", err)
			}
			return
		}
		if s.Keep < 1 || s.Keep > maxKeep || s.config == nil {
			t.Fatalf("%+v", s)
		}
		secretIn(s.config)
	})
}
