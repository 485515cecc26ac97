package config

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Problem is one mistake in a configuration. It never holds a value.
type Problem struct {
	Field   string // as in the configuration; "" for the whole
	Message string // lower case: what is wanted
}

// Problems are all mistakes in a configuration. It is an error.
type Problems []Problem

// Error lists the problems in one line.
func (p Problems) Error() string {
	parts := make([]string, len(p))
	for i, one := range p {
		if parts[i] = one.Message; one.Field != "" {
			parts[i] = one.Field + ": " + one.Message
		}
	}
	return "configuration: " + strings.Join(parts, "; ")
}

// Add notes a problem of a field.
func (p *Problems) Add(field, format string, args ...any) {
	*p = append(*p, Problem{Field: field, Message: fmt.Sprintf(format, args...)})
}

// Err returns the problems, sorted by field, as an error; nil if there are
// none. Return it from a Validate method.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	sort.SliceStable(p, func(i, j int) bool { return p[i].Field < p[j].Field })
	return p
}

// Validator is a settings type that checks itself after it was decoded.
type Validator interface {
	Validate() error
}

// asProblems turns what Validate returned into problems.
func asProblems(err error) Problems {
	var p Problems
	if errors.As(err, &p) {
		return p
	}
	if err != nil {
		return Problems{{Message: err.Error()}}
	}
	return nil
}

// Configurer is an implementation of a role that has settings. Config returns
// a pointer to its settings struct, always the same one.
type Configurer interface {
	Config() any
}
