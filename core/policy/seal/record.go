package seal

import (
	"fmt"
	"strings"
	"time"
)

// Record is what a seal says about itself. It is for people; the product acts
// on the existence of the file alone.
type Record struct {
	Version  int       `json:"version"` // of this format: 1
	SealedAt time.Time `json:"sealed_at"`
	Host     string    `json:"host"`
	System   string    `json:"system,omitempty"` // the id of the system's key
	By       string    `json:"by"`               // "uid:0(root)", or "policy"
	Cause    string    `json:"cause"`            // the command, or file and line of the policy
	Policy   string    `json:"policy,omitempty"` // hash of the policy in force
	Files    []File    `json:"files,omitempty"`  // the policy files in force
	Bundles  bool      `json:"bundles"`          // support bundles go on: the relay takes the key for nothing else
}

// File is a policy file that was in force when the system was sealed.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// Statement is the text of the proof that a security officer archives. It is
// signed by the system's key; see [Prove]. The relay reads two of its lines:
// whose it is, and whether bundles go on.
func (r Record) Statement() []byte {
	var b strings.Builder
	b.WriteString("Remote access was permanently disabled on this system.\n\n")
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", name+":", strings.Map(oneLine, value))
		}
	}
	line("host", r.Host)
	line("system", r.System)
	line("time", r.SealedAt.UTC().Format(time.RFC3339))
	line("by", r.By)
	line("cause", r.Cause)
	line("policy", r.Policy)
	if r.Bundles {
		line("bundles", "allowed")
	} else {
		line("bundles", "forbidden")
	}
	for _, f := range r.Files {
		line("policy file", f.SHA256+"  "+f.Path)
	}
	b.WriteString("\nIt cannot be enabled again on this installation. Only a new installation changes that.\n")
	return []byte(b.String())
}

func oneLine(c rune) rune {
	if c < ' ' || c == 0x7f {
		return ' '
	}
	return c
}
