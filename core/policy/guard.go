package policy

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Limits of a policy file. They keep a hostile file from costing more than a
// glance.
const (
	maxFileSize = 256 << 10
	maxDepth    = 16
	maxFiles    = 1000
)

// plain are the tokens of which a policy file is made. Everything else that
// HCL knows (operators, calls, templates, heredocs, for expressions) is code,
// and is refused before it reaches the parser: a policy can be read without
// being run.
var plain = map[hclsyntax.TokenType]bool{
	hclsyntax.TokenOBrace: true, hclsyntax.TokenCBrace: true, hclsyntax.TokenOBrack: true, hclsyntax.TokenCBrack: true,
	hclsyntax.TokenOQuote: true, hclsyntax.TokenCQuote: true, hclsyntax.TokenQuotedLit: true, hclsyntax.TokenStringLit: true,
	hclsyntax.TokenIdent: true, hclsyntax.TokenNumberLit: true, hclsyntax.TokenEqual: true, hclsyntax.TokenComma: true,
	hclsyntax.TokenNewline: true, hclsyntax.TokenComment: true, hclsyntax.TokenEOF: true,
	// Broken text: the parser says it better.
	hclsyntax.TokenInvalid: true, hclsyntax.TokenBadUTF8: true, hclsyntax.TokenQuotedNewline: true,
	hclsyntax.TokenApostrophe: true, hclsyntax.TokenBacktick: true, hclsyntax.TokenSemicolon: true, hclsyntax.TokenTabs: true,
}

// guard looks at the tokens of a file before it is parsed.
func guard(src []byte, name string) (diags hcl.Diagnostics) {
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	depth, line := 0, 0 // one mistake a line says enough
	for i := range tokens {
		t := &tokens[i]
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack:
			if depth++; depth > maxDepth {
				return append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "nested too deeply", Subject: &t.Range})
			}
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack:
			depth--
		}
		if !plain[t.Type] && t.Type != hclsyntax.TokenTemplateSeqEnd && len(diags) < 20 && t.Range.Start.Line > line {
			line = t.Range.Start.Line
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Subject: &t.Range,
				Summary: fmt.Sprintf("%q is code, and policy files hold plain values only", printable(t.Bytes)),
				Detail:  `write the value itself; in a text, "$${" stands for "${" and "%%{" for "%{"`,
			})
		}
	}
	return diags
}

// guardJSON is guard for the JSON form: it limits the depth.
func guardJSON(src []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested too deeply")
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
