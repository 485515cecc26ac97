package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// field is one setting of a settings struct.
type field struct {
	name     string // with its groups, dots between
	typ      reflect.Type
	index    []int
	help     string
	def      string
	hasDef   bool
	required bool
	oneof    []string
}

var (
	secretType   = reflect.TypeFor[Secret]()
	durationType = reflect.TypeFor[time.Duration]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// fieldsOf lists the settings of the struct that v points to. A struct that
// cannot be a configuration is the author's mistake and panics, at the first
// start or test of the plugin.
func fieldsOf(v any) (reflect.Value, []field) {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() || rv.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("config: %T is not a pointer to a settings struct", v))
	}
	return rv.Elem(), collect(rv.Elem().Type(), "", nil)
}

func collect(t reflect.Type, prefix string, index []int) []field {
	var out []field
	seen := make(map[string]bool)
	for i := range t.NumField() {
		sf := t.Field(i)
		name, ok := sf.Tag.Lookup("config")
		if !ok {
			if sf.Type == secretType {
				panic(fmt.Sprintf("config: secret %s.%s has no config tag", t, sf.Name))
			}
			continue
		}
		if !sf.IsExported() || !validName(name) || seen[name] {
			panic(fmt.Sprintf("config: field %s.%s: want an exported field and a new name of lower-case letters, digits and underscores, not %q", t, sf.Name, name))
		}
		seen[name] = true
		at := append(append([]int(nil), index...), i)
		if sf.Type.Kind() == reflect.Struct && sf.Type != secretType && !reflect.PointerTo(sf.Type).Implements(textType) {
			out = append(out, collect(sf.Type, prefix+name+".", at)...)
			continue
		}
		f := field{name: prefix + name, typ: sf.Type, index: at, help: sf.Tag.Get("help"), required: sf.Tag.Get("required") == "true"}
		f.def, f.hasDef = sf.Tag.Lookup("default")
		if list := sf.Tag.Get("oneof"); list != "" {
			f.oneof = strings.Split(list, ",")
		}
		f.mustWork()
		out = append(out, f)
	}
	return out
}

// mustWork panics about a tag that contradicts its field.
func (f field) mustWork() {
	if jsonType(f.typ) == "" {
		panic(fmt.Sprintf("config: setting %s: type %s is not supported", f.name, f.typ))
	}
	if !f.hasDef {
		return
	}
	if f.typ == secretType {
		panic(fmt.Sprintf("config: setting %s: a secret has no default: describe would show it", f.name))
	}
	probe := reflect.New(f.typ).Elem()
	if msg := f.setText(probe, f.def); msg != "" {
		panic(fmt.Sprintf("config: setting %s: its default does not work: %s", f.name, msg))
	}
}

func validName(s string) bool {
	for i, c := range []byte(s) {
		lower := c >= 'a' && c <= 'z'
		if !lower && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// jsonType is the type of the setting in JSON, "" for what is not supported.
func jsonType(t reflect.Type) string {
	switch {
	case t == secretType, t == durationType, reflect.PointerTo(t).Implements(textType):
		return "string"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "integer"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return "array"
		}
	case reflect.Map:
		if t.Key().Kind() == reflect.String && t.Elem().Kind() == reflect.String {
			return "object"
		}
	}
	return ""
}
