package localcfg

import (
	"fmt"
	"strings"
)

//go:generate go run ./internal/document ../../docs/LOCAL-CFG.md

const documentHead = `# local.cfg

<!-- Made from core/localcfg: change the keys there, and run go generate ./core/localcfg. -->

The configuration of one machine: ` + "`/etc/latchstring/local.cfg`, or `DIR/etc/local.cfg` with `--root DIR`" + `. What is allowed
at all is a matter of [policy](POLICY.md), which is stricter than anything that stands here.

## Nothing is in force before it is built

Editing the file changes nothing. ` + "`remote-support build-config`" + ` checks it together with the policy files, refuses both if anything is
wrong with either, and puts it in force as a whole. Until then the old values count, also those of lines that are gone.
` + "`remote-support status` and `remote-support build-config --pending`" + ` say what waits. While remote support is on, by the global switch or by a
session, ` + "`build-config`" + ` also makes a support bundle and sends it; one that cannot be sent is queued, and is no failure. While it is off
nothing is sent.

## Form

Assignments as in a shell, so that scripts can source the file. It is read and never run.

` + "```sh" + `
# comment
REMOTE_SUPPORT_ENABLE="yes"
export REMOTE_SUPPORT_RSS='rss.vendor.example:443'
` + "```" + `

- What a shell would compute (variables, commands, arrays) is a mistake, and so is a key that is given twice.
- Keys that begin with ` + "`REMOTE_SUPPORT_`" + ` are ours: one that is not listed here is a mistake. All others belong to other products and are left alone.
- A switch is ` + "`yes`, `true`, `on`, `1` or `no`, `false`, `off`, `0`" + `, in any case. Anything else is a mistake and never means yes.
- Every mistake is reported, with its line, and nothing is put in force.

## Keys
`

// Document writes docs/LOCAL-CFG.md from the definition of the keys.
func Document() string {
	var b strings.Builder
	b.WriteString(documentHead)
	for _, k := range keys {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n- **Default:** %s\n\n```sh\n%s\n```\n", k.Name, k.Doc, k.Default, k.Example)
	}
	return b.String()
}
