package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:generate go run ./internal/document ../../docs/POLICY.md ../../policies/schema.json

// Document writes docs/POLICY.md from the definition of the language.
func Document() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	p("%s", documentHead)
	block := "-"
	for _, k := range keys {
		if k.Block != block {
			block = k.Block
			if block == "" {
				p("\n## Top level\n")
			} else {
				p("\n## %s\n\n%s\n", block, blockDocs[block])
			}
		}
		p("\n### %s\n\n%s\n\n", k.Path(), k.Doc)
		p("- **Type:** %s\n", k.typeText())
		p("- **Default:** %s\n", k.Default)
		p("- **Merge:** %s\n", k.Order.text(k.Kind))
		if len(k.Actions) > 0 {
			p("- **Decides:** %s\n", actionList(k.Actions))
		}
		if len(k.Words) > 0 {
			p("\n| value | meaning |\n|---|---|\n")
			for _, w := range k.Words {
				p("| `%s` | %s |\n", w.Word, w.Doc)
			}
		}
		p("\n```hcl\n%s\n```\n", indent(k.Block, k.Example))
	}
	p("\n## Actions\n\nWhat is asked, and with which facts. A fact in the list that is missing denies.\n\n| action | needs | looked at, in this order |\n|---|---|---|\n")
	for _, a := range Actions() {
		var facts, looked []string
		for _, f := range needed[a] {
			facts = append(facts, string(f))
		}
		for _, k := range keysOf[a] {
			looked = append(looked, k.Path())
		}
		p("| `%s` | %s | %s |\n", a, strings.Join(facts, ", "), strings.Join(looked, ", "))
	}
	return b.String()
}

// Actions returns all actions, sorted.
func Actions() []Action {
	out := make([]Action, 0, len(needed))
	for a := range needed {
		out = append(out, a)
	}
	slices.Sort(out)
	return out
}

// Needed returns the facts without which an action is denied.
func Needed(a Action) []Fact { return slices.Clone(needed[a]) }

// KnownFacts returns every fact that an action or a rule may ask for, sorted.
func KnownFacts() []Fact {
	return []Fact{Address, Approvers, Bytes, Case, Collector, Command, Duration, Engineer, Event, From, MFA, Method, Name,
		Path, Plugin, Proxy, Publisher, Purpose, Role, Roles, RSS, RunAs, Sandbox, SHA256, State, Time, Transport, User}
}

var blockDocs = map[string]string{
	"network":  "Where connections may go, for sessions and for bundles.",
	"session":  "Who may open the door, when, and for how long.",
	"web":      "The pages by which an administrator opens the door from a browser.",
	"approval": "What happens when an engineer connects to an open session.",
	"engineer": "What an engineer may do once connected.",
	"bundles":  "What support bundles may hold and where they may go. These rules hold whether remote access is on or not.",
	"plugins":  "Which plugins may run.",
	"notify":   "Which notifications nobody can switch off.",
}

const documentHead = `# The policy language

<!-- Made from core/policy by go generate. Change the definition there, not this file. -->

Policy files are HCL: blocks, and lines of ` + "`key = value`" + `. They lie in ` + "`/etc/latchstring/policies.d/`" + ` and end in ` + "`.hcl`" + `
(or in ` + "`.json`" + ` for the same in JSON; ` + "`policies/schema.json`" + ` is its schema for editors). Values are plain: there are no variables,
functions or expressions, so a policy can be read without being run.

- **Policy only takes away.** Without a file the built-in default is in force. Each file can make it stricter and none can make it laxer:
  what is allowed is what *every* file allows. The names of the files and their order have no meaning. To loosen a rule, change the file that makes it.
- **What is not understood is refused.** An unknown key, block or value, a wrong type, a key given twice: nothing is guessed. Remote access is then off until the
  files load again, and so are bundles where the mistake may hide a rule about them. ` + "`remote-support policy check`" + ` lists all mistakes at once.
- **Every refusal names its line.** ` + "`remote-support policy explain ACTION fact=value ...`" + ` says which line decided, which others spoke, and what would have to change.
  A ` + "`reason = \"...\"`" + ` in a block is shown with each refusal by one of its rules.
- **What is not proved gives nothing.** Who an engineer is, is proved by his certificate. Where he comes from (` + "`from`" + `) is the relay's word: it may make an answer
  stricter and never laxer.
- **Closing is different.** ` + "`session.close`" + ` takes access away. It is the one action that a stricter rule may allow: what ` + "`locked_on`" + ` keeps open, ` + "`locked_off`" + ` closes.

` + "```hcl" + `
policy {
  name    = "site"   # unique; else the name of the file
  version = 3        # may not go back
}

remote_access = "allowed"

session {
  reason       = "change board, 2026-01"
  roles        = ["admin"]
  max_duration = "8h"
}
` + "```" + `

Signatures: ` + "`remote-support policy sign FILE`" + ` or ` + "`ssh-keygen -Y sign -n latchstring-policy -f KEY FILE`" + ` writes ` + "`FILE.sig`" + `. Trusted signers stand in
` + "`/etc/latchstring/policy_signers`" + ` in the form of an allowed_signers file (` + "`remote-support policy trust KEYFILE`" + `). Once signatures are required the system remembers it: a file
that is changed, removed or replaced by an older one does not load. To retire a file, put an empty one of the same policy name with a higher version in its place.

Patterns: in lists a ` + "`*`" + ` takes anything; in paths it stays within one name, and ` + "`**`" + ` stands for any number of directories.
`

func (k *Key) typeText() string {
	switch k.Kind {
	case Bool:
		return "`true` or `false`"
	case Enum:
		return "text, one of those below, from lax to strict"
	case Length:
		return "length of time, such as `\"30m\"`, `\"8h\"`, `\"2d\"`"
	case Size:
		return "size in bytes, such as `\"500MB\"` (millions) or `\"2GiB\"` (powers of two)"
	case Windows, Redacting:
		return "blocks with a name"
	}
	return string(k.Kind)
}

func (o Order) text(k Kind) string {
	switch o {
	case Intersect:
		if k == Windows {
			return "all files must be open (intersection)"
		}
		return "only what every file lists (intersection)"
	case Union:
		return "whatever any file lists (union)"
	case Later:
		return "the stricter value, further down in the table"
	case Less:
		return "the smaller value"
	case More:
		return "the larger value"
	case True:
		return "true wins"
	}
	return "false wins"
}

func actionList(as []Action) string {
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = "`" + string(a) + "`"
	}
	return strings.Join(out, ", ")
}

func indent(block, example string) string {
	if block == "" {
		return example
	}
	return block + " {\n  " + strings.ReplaceAll(example, "\n", "\n  ") + "\n}"
}

// Schema writes the JSON schema of the JSON form.
func Schema() ([]byte, error) {
	type m = map[string]any
	text := func(doc string) m { return m{"type": "string", "description": doc} }
	list := m{"type": "array", "items": m{"type": "string"}, "uniqueItems": true}
	object := func(doc string, props m) m {
		return m{"type": "object", "description": doc, "additionalProperties": false, "properties": props}
	}
	top := m{"policy": object("What the file is called and how new it is.", m{
		"name": text("Unique among the files."), "version": m{"type": "integer", "minimum": 1, "description": "May not go back."}})}
	top["reason"] = text("Shown with each refusal by a rule of the top level.")
	blocks := map[string]m{}
	for _, k := range keys {
		var s m
		switch k.Kind {
		case Bool:
			s = m{"type": "boolean"}
		case Number:
			s = m{"type": "integer", "minimum": 1, "maximum": 5}
		case Enum:
			s = m{"enum": k.words()}
		case Length:
			s = m{"type": "string", "pattern": `^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$`, "minLength": 2}
		case Size:
			s = m{"type": "string", "pattern": `^[0-9]+ ?([kKMGT]i?B|B)$`}
		case Windows:
			w := object("", m{"days": list, "from": text(""), "to": text(""), "zone": text("")})
			w["required"] = []string{"days", "from", "to", "zone"}
			s = m{"type": "object", "additionalProperties": w}
		case Redacting:
			s = m{"type": "object", "additionalProperties": object("", m{"literal": text(""), "key": text(""), "regexp": text(""), "anchors": list})}
		default:
			s = m{"type": "array", "items": m{"type": "string"}, "uniqueItems": true}
			if k.Words != nil && !k.open() {
				s["items"] = m{"enum": k.words()}
			}
		}
		s["description"] = k.Doc + " Default: " + k.Default + "."
		if k.Block == "" {
			top[k.Name] = s
			continue
		}
		if blocks[k.Block] == nil {
			blocks[k.Block] = m{"reason": text("Shown with each refusal by a rule of this block.")}
			top[k.Block] = object(blockDocs[k.Block], blocks[k.Block])
		}
		blocks[k.Block][k.Name] = s
	}
	schema := object("A policy file of Latchstring in JSON.", top)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out, err := json.MarshalIndent(schema, "", "  ")
	return append(out, '\n'), err
}
