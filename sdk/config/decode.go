package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Decode fills the settings struct that v points to from a JSON object, with
// the defaults for what is not there, and validates it. The error is Problems
// with every mistake; v is then not to be used. Empty data is an empty object.
func Decode(v any, data []byte) error {
	rv, fields := fieldsOf(v)
	given, problems := flatten(data, fields)
	for _, f := range fields {
		dst := rv.FieldByIndex(f.index)
		raw, ok := given[f.name]
		delete(given, f.name)
		if ok && !bytes.Equal(raw, []byte("null")) {
			if msg := f.setJSON(dst, raw); msg != "" {
				problems.Add(f.name, "%s", msg)
				continue
			}
		} else if dst.SetZero(); f.hasDef {
			f.setText(dst, f.def)
		}
		f.check(dst, &problems)
	}
	for name := range given {
		problems.Add(name, "no such setting%s", near(name, fields))
	}
	if len(problems) == 0 {
		if val, ok := v.(Validator); ok {
			problems = asProblems(val.Validate())
		}
	}
	return problems.Err()
}

// flatten makes one level of the object, groups becoming prefixes.
func flatten(data []byte, fields []field) (map[string]json.RawMessage, Problems) {
	var problems Problems
	out := make(map[string]json.RawMessage)
	group := make(map[string]bool)
	for _, f := range fields {
		for i, c := range f.name {
			if c == '.' {
				group[f.name[:i]] = true
			}
		}
	}
	var walk func(prefix string, data []byte)
	walk = func(prefix string, data []byte) {
		var obj map[string]json.RawMessage
		if err := json.Unmarshal(data, &obj); err != nil {
			problems.Add(strings.TrimSuffix(prefix, "."), "want a JSON object")
			return
		}
		for k, raw := range obj {
			if name := prefix + k; group[name] {
				walk(name+".", raw)
			} else {
				out[name] = raw
			}
		}
	}
	if len(bytes.TrimSpace(data)) > 0 {
		walk("", data)
	}
	return out, problems
}

// setJSON sets dst from JSON and returns what is wanted instead, if it cannot.
func (f field) setJSON(dst reflect.Value, raw json.RawMessage) string {
	switch jsonType(f.typ) {
	case "string":
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return "want " + f.want()
		}
		return f.setText(dst, s)
	case "integer", "number", "boolean":
		// A form sends everything as text; accept "8080" for 8080.
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		return f.setText(dst, s)
	default:
		p := reflect.New(f.typ)
		if json.Unmarshal(raw, p.Interface()) != nil {
			return "want " + f.want()
		}
		dst.Set(p.Elem())
		return ""
	}
}

// setText sets dst from text and returns what is wanted instead, if it cannot.
func (f field) setText(dst reflect.Value, s string) string {
	wrong := "want " + f.want()
	if f.typ == durationType {
		d, err := time.ParseDuration(s)
		if err != nil {
			return wrong
		}
		dst.SetInt(int64(d))
		return ""
	}
	if u, ok := dst.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if s == "" {
			dst.SetZero()
			return ""
		}
		if u.UnmarshalText([]byte(s)) != nil {
			return wrong
		}
		return ""
	}
	switch kind := f.typ.Kind(); kind {
	case reflect.String:
		dst.SetString(s)
	case reflect.Bool:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return wrong
		}
		dst.SetBool(b)
	case reflect.Float32, reflect.Float64:
		x, err := strconv.ParseFloat(s, f.typ.Bits())
		if err != nil {
			return wrong
		}
		dst.SetFloat(x)
	case reflect.Slice:
		list := reflect.MakeSlice(f.typ, 0, 0)
		for _, part := range strings.Split(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = reflect.Append(list, reflect.ValueOf(part).Convert(f.typ.Elem()))
			}
		}
		dst.Set(list)
	case reflect.Map:
		return "a map has no default"
	default:
		if dst.CanInt() {
			n, err := strconv.ParseInt(s, 10, f.typ.Bits())
			if err != nil {
				return wrong
			}
			dst.SetInt(n)
			return ""
		}
		n, err := strconv.ParseUint(s, 10, f.typ.Bits())
		if err != nil {
			return wrong
		}
		dst.SetUint(n)
	}
	return ""
}

// check holds a value that is set to the tags required and oneof.
func (f field) check(dst reflect.Value, problems *Problems) {
	empty := dst.IsZero()
	if s, ok := dst.Interface().(Secret); ok {
		empty = s.IsZero()
	}
	if f.required && empty {
		problems.Add(f.name, "is required: %s", f.want())
		return
	}
	if len(f.oneof) == 0 || empty {
		return
	}
	values := []string{fmt.Sprint(dst.Interface())}
	if dst.Kind() == reflect.Slice {
		values = values[:0]
		for i := range dst.Len() {
			values = append(values, dst.Index(i).String())
		}
	}
	for _, v := range values {
		if !slices.Contains(f.oneof, v) {
			problems.Add(f.name, "want one of %s", strings.Join(f.oneof, ", "))
			return
		}
	}
}

// want says in words which value the setting takes.
func (f field) want() string {
	switch {
	case f.typ == secretType:
		return "a secret as text"
	case f.typ == durationType:
		return `a duration like "1m30s"`
	case len(f.oneof) > 0:
		return "one of " + strings.Join(f.oneof, ", ")
	}
	switch jsonType(f.typ) {
	case "string":
		if f.typ.Kind() != reflect.String {
			return "text that is a " + f.typ.String()
		}
		return "text"
	case "boolean":
		return "true or false"
	case "integer":
		if f.typ.Kind() >= reflect.Uint {
			return fmt.Sprintf("a whole number from 0 of %d bits", f.typ.Bits())
		}
		return fmt.Sprintf("a whole number of %d bits", f.typ.Bits())
	case "number":
		return "a number"
	case "array":
		return "a list of texts"
	default:
		return "an object of texts"
	}
}

// near suggests the setting that was probably meant.
func near(name string, fields []field) string {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == '_' || r == '-' || r == '.' {
				return -1
			}
			return r
		}, strings.ToLower(s))
	}
	given := plain(name)
	for _, f := range fields {
		if plain(f.name) == given {
			return "; did you mean " + f.name + "?"
		}
	}
	for _, f := range fields {
		known := plain(f.name)
		if len(given) > 3 && (strings.HasPrefix(known, given) || strings.HasPrefix(given, known)) {
			return "; did you mean " + f.name + "?"
		}
	}
	return ""
}
