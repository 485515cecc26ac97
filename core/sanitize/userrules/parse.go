package userrules

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads a file of rules into the set. The error is an [Errors] if the file
// has mistakes; then nothing of it is taken.
func (s *Set) Load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	return s.Parse(path, data)
}

// Parse reads the content of a file of rules, whose name is for messages.
func (s *Set) Parse(name string, data []byte) error {
	p := &parser{file: name}
	if len(data) > maxFile {
		p.errs = append(p.errs, Error{File: name, Message: fmt.Sprintf("longer than %d bytes", maxFile)})
		return p.errs
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	documents := 0
	for {
		var doc yaml.Node
		err := decode(dec, &doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			p.syntax(err)
			return p.errs
		}
		if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
			continue
		}
		documents++
		p.document(doc.Content[0])
	}
	if documents == 0 {
		p.errs = append(p.errs, Error{File: name, Message: "no Redactor in it"})
	}
	if room := maxRules - len(s.rules); len(p.out.rules) > room {
		p.errs = append(p.errs, Error{File: name, Message: fmt.Sprintf("more than %d rules", maxRules)})
	}
	if len(p.errs) > 0 {
		return p.errs
	}
	s.rules = append(s.rules, p.out.rules...)
	s.Hosts = append(s.Hosts, p.out.Hosts...)
	s.Domains = append(s.Domains, p.out.Domains...)
	s.Users = append(s.Users, p.out.Users...)
	s.files = nil
	return nil
}

// decode keeps a panic of the YAML parser from taking the program down.
func decode(dec *yaml.Decoder, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("yaml: not readable")
		}
	}()
	return dec.Decode(doc)
}

// parser turns nodes into rules and collects mistakes.
type parser struct {
	file  string
	errs  Errors
	out   Set
	paths Paths // only to check that all fit
	nodes int
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func (p *parser) syntax(err error) {
	e := Error{File: p.file, Message: err.Error()}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		e.Message = "not YAML: " + m[2]
		if m[1] != "" {
			fmt.Sscan(m[1], &e.Line)
			e.Column = 1
		}
	}
	p.errs = append(p.errs, e)
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	p.errs = append(p.errs, Error{p.file, n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// resolve follows an alias; a file that winds in itself comes to an end.
func (p *parser) resolve(n *yaml.Node) *yaml.Node {
	for range 16 {
		if n.Kind != yaml.AliasNode {
			break
		}
		n = n.Alias
	}
	if p.nodes++; p.nodes == 100000 {
		p.fail(n, "too much in one file")
	}
	return n
}

// fields calls the function for each key of a mapping. Unknown and repeated
// keys are mistakes.
func (p *parser) fields(n *yaml.Node, what string, known map[string]func(key, value *yaml.Node)) {
	n = p.resolve(n)
	if n.Kind != yaml.MappingNode {
		p.fail(n, "%s must be a mapping of %s", what, strings.Join(sortedKeys(known), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && p.nodes < 100000; i += 2 {
		key := n.Content[i]
		use, ok := known[key.Value]
		switch {
		case !ok:
			p.fail(key, "unknown key %q in %s; known are %s", key.Value, what, strings.Join(sortedKeys(known), ", "))
		case seen[key.Value]:
			p.fail(key, "%q a second time in %s", key.Value, what)
		default:
			seen[key.Value] = true
			use(key, n.Content[i+1])
		}
	}
}

func (p *parser) items(n *yaml.Node, what string, use func(*yaml.Node)) {
	n = p.resolve(n)
	if n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "%s must be a list", what)
		return
	}
	for _, item := range n.Content {
		if p.nodes >= 100000 {
			return
		}
		use(p.resolve(item))
	}
}

// text takes a string. Numbers and words like true are taken as they are
// written.
func (p *parser) text(n *yaml.Node, what string) (string, bool) {
	n = p.resolve(n)
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		p.fail(n, "%s must be a text", what)
		return "", false
	}
	return n.Value, true
}

var apiVersions = map[string]bool{
	"troubleshoot.sh/v1beta1": true, "troubleshoot.sh/v1beta2": true, "troubleshoot.sh/v1beta3": true,
	"troubleshoot.replicated.com/v1beta1": true, "latchstring/v1": true,
}

func (p *parser) document(n *yaml.Node) {
	var version, kind, spec bool
	p.fields(n, "a Redactor", map[string]func(k, v *yaml.Node){
		"apiVersion": func(_, v *yaml.Node) {
			version = true
			if s, ok := p.text(v, "apiVersion"); ok && !apiVersions[s] {
				p.fail(v, "apiVersion %q is not known; use troubleshoot.sh/v1beta2", s)
			}
		},
		"kind": func(_, v *yaml.Node) {
			kind = true
			if s, ok := p.text(v, "kind"); ok && s != "Redactor" {
				p.fail(v, "kind is %q, not Redactor", s)
			}
		},
		"metadata": func(_, v *yaml.Node) {},
		"spec": func(_, v *yaml.Node) {
			spec = true
			p.fields(v, "spec", map[string]func(k, v *yaml.Node){
				"redactors": func(_, v *yaml.Node) {
					i := 0
					p.items(v, "redactors", func(item *yaml.Node) {
						i++
						p.redactor(item, i)
					})
				},
				"uri": func(k, _ *yaml.Node) { p.fail(k, "rules are not fetched from elsewhere; put them into the file") },
			})
		},
	})
	if !version || !kind || !spec {
		p.fail(n, "a Redactor needs apiVersion, kind and spec")
	}
}

func (p *parser) redactor(n *yaml.Node, number int) {
	name := fmt.Sprintf("redactor %d", number)
	var files []*regexp.Regexp
	var removals *yaml.Node
	glob := func(v *yaml.Node) {
		if s, ok := p.text(v, "a file pattern"); ok {
			re, err := compileGlob(strings.TrimPrefix(s, "/"))
			if err != nil {
				p.fail(v, "file pattern %q: %v", s, err)
				return
			}
			files = append(files, re)
		}
	}
	p.fields(n, "a redactor", map[string]func(k, v *yaml.Node){
		"name": func(_, v *yaml.Node) {
			if s, ok := p.text(v, "name"); ok && s != "" {
				name = s
			}
		},
		"fileSelector": func(_, v *yaml.Node) {
			p.fields(v, "fileSelector", map[string]func(k, v *yaml.Node){
				"file":  func(_, v *yaml.Node) { glob(p.resolve(v)) },
				"files": func(_, v *yaml.Node) { p.items(v, "files", glob) },
			})
		},
		"removals": func(_, v *yaml.Node) { removals = p.resolve(v) },
	})
	if removals == nil {
		p.fail(n, "a redactor without removals hides nothing")
		return
	}
	before := len(p.out.rules)
	p.removals(removals, name, len(files) > 0)
	for i := before; i < len(p.out.rules); i++ {
		p.out.rules[i].files = files
	}
}

func (p *parser) removals(n *yaml.Node, name string, someFiles bool) {
	each := func(what string, add func(n *yaml.Node, s string) error) func(k, v *yaml.Node) {
		return func(_, v *yaml.Node) {
			p.items(v, what, func(item *yaml.Node) {
				if s, ok := p.text(item, "an item of "+what); ok {
					if err := add(item, s); err != nil {
						p.fail(item, "%v", err)
					}
				}
			})
		}
	}
	names := func(what string, list *[]string) func(k, v *yaml.Node) {
		take := each(what, func(_ *yaml.Node, s string) error {
			if s = strings.TrimSpace(s); len(s) < minValue {
				return fmt.Errorf("%q is too short to be looked for", s)
			}
			*list = append(*list, s)
			return nil
		})
		return func(k, v *yaml.Node) {
			if someFiles {
				p.fail(k, "%s are the same in all files; a fileSelector does not go with them", what)
				return
			}
			take(k, v)
		}
	}
	p.fields(n, "removals", map[string]func(k, v *yaml.Node){
		"values": each("values", func(_ *yaml.Node, s string) error { return p.out.AddValue(name, s) }),
		"keys":   each("keys", func(_ *yaml.Node, s string) error { return p.out.AddKey(name, s) }),
		"yamlPath": each("yamlPath", func(_ *yaml.Node, s string) error {
			if err := p.paths.add(s); err != nil {
				return err
			}
			return p.out.add(rule{name: name, path: s})
		}),
		"regex":   func(_, v *yaml.Node) { p.items(v, "regex", func(item *yaml.Node) { p.regex(item, name) }) },
		"hosts":   names("hosts", &p.out.Hosts),
		"domains": names("domains", &p.out.Domains),
		"users":   names("users", &p.out.Users),
	})
}

func (p *parser) regex(n *yaml.Node, name string) {
	if n.Kind == yaml.ScalarNode { // the short form
		p.expression(n, n, nil, nil, name)
		return
	}
	var redactor, selector *yaml.Node
	var anchors []string
	p.fields(n, "a regex", map[string]func(k, v *yaml.Node){
		"redactor": func(_, v *yaml.Node) { redactor = p.resolve(v) },
		"selector": func(_, v *yaml.Node) { selector = p.resolve(v) },
		"anchors": func(_, v *yaml.Node) {
			p.items(v, "anchors", func(item *yaml.Node) {
				if s, ok := p.text(item, "an anchor"); ok {
					anchors = append(anchors, s)
				}
			})
		},
	})
	if redactor == nil {
		p.fail(n, "a regex needs a redactor")
		return
	}
	p.expression(n, redactor, selector, anchors, name)
}

func (p *parser) expression(n, redactor, selector *yaml.Node, anchors []string, name string) {
	expr, ok := p.text(redactor, "redactor")
	if !ok {
		return
	}
	given := anchors
	if selector != nil && selector.Value != "" {
		given = nil // anchors are for the selector
	}
	r, err := compile(name, expr, given)
	if err != nil {
		p.fail(redactor, "%v", err)
		return
	}
	if selector != nil && selector.Value != "" {
		sel, ok := p.text(selector, "selector")
		if !ok {
			return
		}
		if r.selector, err = compileExpression(sel); err == nil {
			r.selAnch, err = chooseAnchors(sel, anchors)
		}
		if err != nil {
			p.fail(selector, "%v", err)
			return
		}
	}
	if err := p.out.add(r); err != nil {
		p.fail(n, "%v", err)
	}
}
