package config

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Schema describes a configuration as JSON Schema (draft 2020-12): enough of it
// for a host to draw a form and to check a file.
type Schema struct {
	Type        string             `json:"type"`
	Description string             `json:"description,omitempty"`
	Format      string             `json:"format,omitempty"` // "duration" as of time.ParseDuration, "password" for secrets
	WriteOnly   bool               `json:"writeOnly,omitempty"`
	Default     json.RawMessage    `json:"default,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Order       []string           `json:"x-order,omitempty"` // the properties as the author wrote them
	// Additional is false for settings: what is not known is a mistake.
	Additional any `json:"additionalProperties,omitempty"`
}

// Secrets lists the settings that are secret, groups with dots.
func (s *Schema) Secrets() []string {
	var out []string
	for _, name := range s.Order {
		p := s.Properties[name]
		if p.WriteOnly {
			out = append(out, name)
		}
		for _, inner := range p.Secrets() {
			out = append(out, name+"."+inner)
		}
	}
	return out
}

// SchemaOf returns the schema of the settings struct that v points to. It
// panics about a struct that cannot be a configuration: that is a mistake of
// the author, found by the first test.
func SchemaOf(v any) *Schema {
	_, fields := fieldsOf(v)
	root := newGroup()
	for _, f := range fields {
		at, name := root, f.name
		for {
			group, rest, ok := strings.Cut(name, ".")
			if !ok {
				break
			}
			if at.Properties[group] == nil {
				at.Properties[group] = newGroup()
				at.Order = append(at.Order, group)
			}
			at, name = at.Properties[group], rest
		}
		at.Properties[name] = f.schema()
		at.Order = append(at.Order, name)
		if f.required {
			at.Required = append(at.Required, name)
		}
	}
	return root
}

func newGroup() *Schema {
	return &Schema{Type: "object", Properties: make(map[string]*Schema), Additional: false}
}

func (f field) schema() *Schema {
	s := &Schema{Type: jsonType(f.typ), Description: f.help, Enum: f.oneof}
	switch {
	case f.typ == secretType:
		s.Format, s.WriteOnly = "password", true
	case f.typ == durationType:
		s.Format = "duration"
	}
	switch s.Type {
	case "array":
		s.Items = &Schema{Type: "string", Enum: f.oneof}
		s.Enum = nil
	case "object":
		s.Additional = &Schema{Type: "string"}
	}
	if f.hasDef {
		s.Default = f.defaultJSON(s.Type)
	}
	return s
}

// defaultJSON writes the default in the type of the setting.
func (f field) defaultJSON(typ string) json.RawMessage {
	var v any = f.def
	if typ != "string" {
		rv := reflect.New(f.typ).Elem()
		f.setText(rv, f.def)
		v = rv.Interface()
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return out
}
