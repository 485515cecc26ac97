package latchstring

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// licences maps a phrase of a licence text to its name. All of these may be
// combined with Apache-2.0.
var licences = []struct{ phrase, name string }{
	{"Apache License", "Apache-2.0"},
	{"Permission is hereby granted, free of charge", "MIT"},
	{"Redistribution and use in source and binary forms", "BSD"},
	{"Mozilla Public License", "MPL-2.0"},
	{"Permission to use, copy, modify, and/or distribute this software", "ISC or 0BSD"},
	{"Permission to use, copy, modify, and distribute this software", "ISC"},
	{"This is free and unencumbered software", "Unlicense"},
	{"CC0 1.0 Universal", "CC0"},
}

// forbidden phrases win over the list above.
var forbiddenLicences = []string{"GNU AFFERO GENERAL PUBLIC", "GNU GENERAL PUBLIC LICENSE", "BUSINESS SOURCE LICENSE", "SERVER SIDE PUBLIC LICENSE"}

// Every module that ends up in a binary has a licence that goes with ours.
func TestLicencesOfDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/...", "./sdk/...", "./plugins/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := map[string]bool{}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p struct {
			Module *struct{ Path, Version, Dir string }
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module == nil || p.Module.Version == "" || seen[p.Module.Path] {
			continue
		}
		seen[p.Module.Path] = true
		if name := licenceOf(p.Module.Dir); name == "" {
			t.Errorf("%s %s: no licence found that may be combined with Apache-2.0", p.Module.Path, p.Module.Version)
		}
	}
	if len(seen) < 5 {
		t.Errorf("only %d modules looked at", len(seen))
	}
}

func licenceOf(dir string) string {
	var files []string
	for _, pattern := range []string{"[Ll][Ii][Cc][Ee][Nn][CcSs][Ee]*", "COPYING*", "UNLICENSE*"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		files = append(files, found...)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		text := strings.Join(strings.Fields(string(b)), " ")
		if name := classify(text); name != "" {
			return name
		}
	}
	return ""
}

func classify(text string) string {
	upper := strings.ToUpper(text)
	for _, l := range licences {
		i := strings.Index(upper, strings.ToUpper(l.phrase))
		if i < 0 {
			continue
		}
		for _, bad := range forbiddenLicences {
			// The Mozilla and Apache texts name the GPL in passing; a
			// GPL text begins with its name.
			if j := strings.Index(upper, bad); j >= 0 && j < i {
				return ""
			}
		}
		return l.name
	}
	return ""
}
