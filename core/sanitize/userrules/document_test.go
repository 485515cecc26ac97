package userrules

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func paths(t testing.TB, list ...string) *Set {
	t.Helper()
	return parse(t, "  - removals:\n      yamlPath: ['"+strings.Join(list, "', '")+"']\n")
}

func TestDocumentYAML(t *testing.T) {
	s := paths(t, "customers.*.name", "spec.token", "list.1", "top", "multi.text", "items.*.env.0.value", "flow.a.*.b", "q.u ote")
	in := `# comment
customers:
- name: Acme Corp # who
  id: 7
- name: "Ze\"phyr" # who
  id: 8
-
  id: 9
  name: 'O''Hara'
spec:
    token: &a !!str abc # c
    other: abc
list: [one, two, "three"]
top: 17
multi:
  text: |
    line one

      line two
  not: visible
items:
  - env:
      - name: X
        value: >-
          folded
          text
      - value: shown
  - env:
    - {name: Y, value: 12}
    - value: shown
flow: {a: [{b: x, c: y}, {b: {d: "deep"}}], b: z}
q: {"u ote": http://h:1/x, other: 1}
spec2: {token: shown}
top2: shown
---
top:
  nested: x1
  more:
    - x2
    - "x3"
visible: yes
top: plain scalar
  that goes on
  and on
visible: yes
top: "quoted
  goes on" # comment
visible: yes
`
	want := `# comment
customers:
- name: ######### # who
  id: 7
- name: "########" # who
  id: 8
-
  id: 9
  name: '#######'
spec:
    token: &a !!str ### # c
    other: abc
list: [one, ###, "three"]
top: ##
multi:
  text: |
    ########

      ########
  not: visible
items:
  - env:
      - name: X
        value: >-
          ######
          ####
      - value: shown
  - env:
    - {name: Y, value: ##}
    - value: shown
flow: {a: [{b: #, c: y}, {b: {d: "####"}}], b: z}
q: {"u ote": ############, other: 1}
spec2: {token: shown}
top2: shown
---
top:
  nested: ##
  more:
    - ##
    - "##"
visible: yes
top: ############
  ############
  ######
visible: yes
top: "######
#########" # comment
visible: yes
`
	if d := cmp.Diff(want, hide(t, s, "x.yaml", in)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	crlf := strings.ReplaceAll(in, "\n", "\r\n")
	if d := cmp.Diff(strings.ReplaceAll(want, "\n", "\r\n"), hide(t, s, "x.yaml", crlf)); d != "" {
		t.Errorf("crlf: -want +got\n%s", d)
	}
}

func TestDocumentJSON(t *testing.T) {
	s := paths(t, "customers.*.name", "spec.token", "0.x", "deep.*.*.k")
	in := `{"customers":[{"name":"Acme \"Corp\"","id":7},{"name":null,"id":"name"},{"id":1,"name":["a",{"b":"c"}]}],
  "spec" : { "token" : -1.5e3 , "tokens": "shown: {name}" },
  "deep": {"a":[{"k":true},{"j":false}]}}
{"spec":{"token":"second line"}}
[{"x":"y","z":"name"},{"x":"shown"}]
`
	want := `{"customers":[{"name":"#############","id":7},{"name":####,"id":"name"},{"id":1,"name":["#",{"b":"#"}]}],
  "spec" : { "token" : ###### , "tokens": "shown: {name}" },
  "deep": {"a":[{"k":####},{"j":false}]}}
{"spec":{"token":"###########"}}
[{"x":"#","z":"name"},{"x":"shown"}]
`
	if d := cmp.Diff(want, hide(t, s, "x.json", in)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	// One line, in pieces of any size.
	line := strings.ReplaceAll(strings.SplitN(in, "\n{", 2)[0], "\n", " ")
	wantLine := strings.ReplaceAll(strings.SplitN(want, "\n{", 2)[0], "\n", " ")
	for size := 1; size < 40; size++ {
		sc := s.For("x.json").Scanner()
		out := []byte(line)
		for i := 0; i < len(line); i += size {
			for _, sp := range sc.Append(nil, []byte(line[i:min(i+size, len(line))])) {
				for k := sp.Start; k < sp.End; k++ {
					out[i+k] = '#'
				}
			}
		}
		if string(out) != wantLine {
			t.Fatalf("pieces of %d:\n%s\n%s", size, out, wantLine)
		}
	}
	for _, sp := range s.For("x").Scanner().Append(nil, []byte(`{"spec":{"token":17}}`)) {
		if !sp.Quote {
			t.Error("a number needs quotes")
		}
	}
}

// Against parsers: whatever a parser finds at the path is hidden.
func FuzzDocument(f *testing.F) {
	f.Add([]byte("a:\n- b: x\n  c: |\n    text\n- b: {d: [1, \"two\"]}\n"))
	f.Add([]byte(`{"a":[{"b":"x\"y"},{"b":[1,2]}],"c":null}`))
	f.Add([]byte("a:\n  k:\n    b: 'it''s'\n\n    c: d\n"))
	s := paths(f, "a.*.b")
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 2000 || bytes.IndexByte(in, 0) >= 0 {
			return
		}
		hidden := []byte(hide(t, s, "x", string(in)))
		var doc any
		if json.Unmarshal(in, &doc) != nil || bytes.Contains(in, []byte(`\`)) || bytes.IndexByte(in, '\r') >= 0 || !ascii(in) || bytes.Contains(in, []byte("#")) {
			return
		}
		// The values at the path are gone, all others are there.
		var after any
		if err := json.Unmarshal(quoted(in, s), &after); err != nil {
			t.Fatalf("%q became %q: %v", in, hidden, err)
		}
		top, _ := doc.(map[string]any)
		topAfter, _ := after.(map[string]any)
		for k := range top {
			if k != "a" && !equalJSON(top[k], topAfter[k]) {
				t.Fatalf("%q became %q: %q changed", in, hidden, k)
			}
		}
		each := func(v any, fn func(b any)) {
			switch v := v.(type) {
			case map[string]any:
				for _, e := range v {
					if m, ok := e.(map[string]any); ok {
						fn(m["b"])
					}
				}
			case []any:
				for _, e := range v {
					if m, ok := e.(map[string]any); ok {
						fn(m["b"])
					}
				}
			}
		}
		each(topAfter["a"], func(b any) {
			if !gone(b) {
				t.Fatalf("%q became %q", in, quoted(in, s))
			}
		})
	})
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\n' || c > 0x7e {
			return false
		}
	}
	return true
}

// quoted applies the rules as the sanitizer does, with a token.
func quoted(in []byte, s *Set) []byte {
	var out []byte
	at := 0
	for _, sp := range s.For("x").Scanner().Append(nil, in) {
		out = append(out, in[at:sp.Start]...)
		if sp.Quote {
			out = append(out, `"T"`...)
		} else {
			out = append(out, 'T')
		}
		at = sp.End
	}
	return append(out, in[at:]...)
}

func equalJSON(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

func gone(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == "T" || v == ""
	case map[string]any:
		for _, e := range v {
			if !gone(e) {
				return false
			}
		}
		return true
	case []any:
		for _, e := range v {
			if !gone(e) {
				return false
			}
		}
		return true
	}
	return false
}
