package policy

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
)

// decoder reads one file into statements and mistakes.
type decoder struct {
	file string
	src  []byte
	info *File

	said     []statement
	mistakes []Mistake
}

// blockNames returns the blocks of the language, in their order.
func blockNames() []string {
	var names []string
	for _, k := range keys {
		if k.Block != "" && !slices.Contains(names, k.Block) {
			names = append(names, k.Block)
		}
	}
	return names
}

// aboutBundles reports whether a mistake in a block may hide a rule that
// bundles depend on. Rules about plugins and the network touch them too.
func aboutBundles(block string) bool {
	switch block {
	case "session", "approval", "engineer", "notify":
		return false
	}
	return true
}

func decodeFile(name string, src []byte) *decoder {
	base := name[strings.LastIndexByte(name, '/')+1:]
	short, _, _ := strings.Cut(base, ".")
	d := &decoder{file: name, src: src, info: &File{Path: name, Name: short}}
	if len(src) > maxFileSize {
		d.mistakeAt(hcl.Range{Start: hcl.InitialPos}, true, fmt.Sprintf("the file has more than %d KiB", maxFileSize>>10), "split it")
		return d
	}
	var body hcl.Body
	if strings.HasSuffix(name, ".json") {
		if err := guardJSON(src); err != nil {
			d.mistakeAt(hcl.Range{Start: hcl.InitialPos}, true, err.Error(), "")
			return d
		}
		f, diags := hcljson.Parse(src, name)
		d.diagnostics(diags, true)
		if f == nil || diags.HasErrors() {
			return d
		}
		body = f.Body
	} else {
		if diags := guard(src, name); len(diags) > 0 {
			d.diagnostics(diags, true)
			return d
		}
		f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
		d.diagnostics(diags, true)
		if f == nil || isBroken(diags) {
			return d // what a broken file says cannot be known
		}
		body = f.Body
	}
	d.top(body)
	return d
}

// isBroken reports whether a file did not parse so far that looking at the
// rest of it would only bring up follow-up mistakes.
func isBroken(diags hcl.Diagnostics) bool {
	return slices.ContainsFunc(diags, func(diag *hcl.Diagnostic) bool { return diag.Summary != "Attribute redefined" })
}

func (d *decoder) top(body hcl.Body) {
	schema := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "policy"}}}
	for _, b := range blockNames() {
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: b})
	}
	for _, k := range keys {
		if k.Block == "" {
			schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: k.Name})
		}
	}
	schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: "reason"})
	content, diags := body.Content(schema)
	d.unknown(diags, "", true)
	d.attributes("", content)
	seen := map[string]hcl.Range{}
	for _, b := range content.Blocks {
		if first, again := seen[b.Type]; again {
			d.mistakeAt(b.DefRange, aboutBundles(b.Type), fmt.Sprintf("a second block %q", b.Type), fmt.Sprintf("the first is on line %d; put both into one, or into two files", first.Start.Line))
		}
		seen[b.Type] = b.DefRange
		if b.Type == "policy" {
			d.header(b.Body)
		} else {
			d.block(b.Type, b.Body)
		}
	}
}

// header reads the policy block: what the file is called and how new it is.
func (d *decoder) header(body hcl.Body) {
	content, diags := body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "name"}, {Name: "version"}}})
	d.unknown(diags, "policy", true)
	if a := content.Attributes["name"]; a != nil {
		if s, ok := d.text(a, true); ok && s != "" {
			d.info.Name = s
		}
	}
	if a := content.Attributes["version"]; a != nil {
		n, ok := d.number(a, true)
		if ok && n < 1 {
			d.mistakeAt(a.Expr.Range(), true, "a version is a number from 1", "")
		} else if ok {
			d.info.Version = n
		}
	}
}

func (d *decoder) block(name string, body hcl.Body) {
	schema := &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "reason"}}}
	for _, k := range keys {
		switch {
		case k.Block != name:
		case k.Kind == Windows || k.Kind == Redacting:
			schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: k.Name, LabelNames: []string{"name"}})
		default:
			schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: k.Name})
		}
	}
	content, diags := body.Content(schema)
	d.unknown(diags, name, aboutBundles(name))
	reason := d.attributes(name, content)
	for _, k := range keys {
		if k.Block != name || k.Kind != Windows && k.Kind != Redacting {
			continue
		}
		d.labelled(k, content.Blocks.OfType(k.Name), reason)
	}
}

// attributes reads the attributes of a block, and returns its reason.
func (d *decoder) attributes(block string, content *hcl.BodyContent) (reason string) {
	about := aboutBundles(block)
	if a := content.Attributes["reason"]; a != nil {
		reason, _ = d.text(a, about)
	}
	attrs := make([]*hcl.Attribute, 0, len(content.Attributes))
	for _, a := range content.Attributes {
		attrs = append(attrs, a)
	}
	slices.SortFunc(attrs, func(a, b *hcl.Attribute) int {
		return cmp.Or(cmp.Compare(a.Range.Start.Line, b.Range.Start.Line), cmp.Compare(a.Range.Start.Column, b.Range.Start.Column))
	})
	for _, a := range attrs {
		if a.Name == "reason" {
			continue
		}
		path := a.Name
		if block != "" {
			path = block + "." + a.Name
		}
		k := keyByPath[path]
		if v, ok := d.value(k, a); ok {
			d.say(k, v, a.NameRange, reason)
		}
	}
	return reason
}

func (d *decoder) say(k *Key, v value, at hcl.Range, reason string) {
	d.said = append(d.said, statement{k, v, Rule{
		Key: k.Path(), Value: k.format(&v), Reason: reason,
		Source: Source{File: d.file, Line: at.Start.Line, Column: at.Start.Column},
	}})
}

// literal evaluates an expression that holds no code.
func (d *decoder) literal(e hcl.Expression, about bool) (cty.Value, bool) {
	v, diags := e.Value(nil)
	d.diagnostics(diags, about)
	if diags.HasErrors() {
		return cty.NilVal, false
	}
	if v.IsNull() || !v.IsWhollyKnown() {
		d.mistakeAt(e.Range(), about, "null is no value", "leave the line out")
		return cty.NilVal, false
	}
	return v, true
}

func (d *decoder) text(a *hcl.Attribute, about bool) (string, bool) {
	v, ok := d.literal(a.Expr, about)
	if !ok {
		return "", false
	}
	if v.Type() != cty.String {
		d.mistakeAt(a.Expr.Range(), about, fmt.Sprintf("%s takes a text, not a %s", a.Name, typeName(v)), "put it between quotation marks")
		return "", false
	}
	if s := v.AsString(); printable([]byte(s)) != s {
		d.mistakeAt(a.Expr.Range(), about, a.Name+" holds control characters", "")
		return "", false
	}
	return v.AsString(), true
}

func (d *decoder) number(a *hcl.Attribute, about bool) (int64, bool) {
	v, ok := d.literal(a.Expr, about)
	if !ok {
		return 0, false
	}
	if v.Type() != cty.Number {
		d.mistakeAt(a.Expr.Range(), about, fmt.Sprintf("%s takes a number, not a %s", a.Name, typeName(v)), "")
		return 0, false
	}
	n, acc := v.AsBigFloat().Int64()
	if acc != big.Exact {
		d.mistakeAt(a.Expr.Range(), about, a.Name+" takes a whole number that is not too large", "")
		return 0, false
	}
	return n, true
}

// texts reads a list of texts, with the range of each.
func (d *decoder) texts(a *hcl.Attribute, about bool) (out []item, ok bool) {
	v, ok := d.literal(a.Expr, about)
	if !ok {
		return nil, false
	}
	if !v.Type().IsTupleType() && !v.Type().IsListType() {
		d.mistakeAt(a.Expr.Range(), about, fmt.Sprintf("%s takes a list, not a %s", a.Name, typeName(v)), `write it like ["one", "two"]`)
		return nil, false
	}
	ranges := make([]hcl.Range, v.LengthInt())
	if exprs, diags := hcl.ExprList(a.Expr); !diags.HasErrors() {
		for i := range exprs {
			ranges[i] = exprs[i].Range()
		}
	}
	for i, e := range v.AsValueSlice() {
		if e.IsNull() || e.Type() != cty.String {
			d.mistakeAt(ranges[i], about, a.Name+" takes a list of texts", "put each between quotation marks")
			ok = false
			continue
		}
		out = append(out, item{e.AsString(), ranges[i]})
	}
	return out, ok
}

type item struct {
	text string
	at   hcl.Range
}

func typeName(v cty.Value) string {
	switch t := v.Type(); {
	case t == cty.String:
		return "text"
	case t == cty.Bool:
		return "true or false"
	case t == cty.Number:
		return "number"
	case t.IsTupleType():
		return "list"
	}
	return "block of values"
}
