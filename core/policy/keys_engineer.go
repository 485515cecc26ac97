package policy

import (
	"strings"
	"time"
)

func engineerKeys() []*Key {
	runs := []Action{AccessShell, AccessCommand}
	return []*Key{{
		Block: "engineer", Name: "names", Kind: Names, Order: Intersect, Default: "any whom the vendor vouches for",
		Subject: "engineers",
		Doc:     "The engineers who may connect, by the name in their certificate.",
		Example: `names = ["*@support.vendor.example"]`,
		Actions: []Action{ConnectAccept, AccessShell, AccessCommand, AccessForward, AccessUpload, AccessFetch},
		deny:    only(Engineer, "the engineer", nil),
	}, {
		Block: "engineer", Name: "require_case", Kind: Bool, Order: True, Default: "false",
		Subject: "a case number for each connection",
		Doc:     "A connection is let in only if it names the case that it is for.",
		Example: `require_case = true`,
		Actions: []Action{ConnectAccept},
		deny: func(v *value, r *request) string {
			if v.yes && strings.TrimSpace(r.facts[Case]) == "" {
				return "the connection names no case"
			}
			return ""
		},
	}, {
		Block: "engineer", Name: "revoked", Kind: Names, Order: Union, Default: "none",
		Subject: "certificates of engineers that do not count",
		Doc: "Certificates that do not count here, although the vendor may not have revoked them: `serial:NUMBER`, `name:ENGINEER` or `key:SHA256:...`, " +
			"as the audit log and `remote-support revocations` have them. A connection that is open with one is cut.",
		Example: `revoked = ["serial:7301992873", "name:mallory"]`,
		Actions: []Action{ConnectAccept},
		deny: func(v *value, r *request) string {
			for _, name := range strings.Fields(r.facts[Certificate]) {
				for _, l := range v.lists {
					if l.find(name) != "" {
						return "the engineer's certificate is revoked here, by " + l.find(name)
					}
				}
			}
			return ""
		},
	}, {
		Block: "engineer", Name: "revocations_max_age", Kind: Length, Order: Less, Default: "any, or none at all",
		Subject: "the age of the vendor's list of revoked certificates",
		Doc: "How long ago the vendor may have signed the list of revoked certificates that is known here. Without a list, or with an older one, nobody is let in, " +
			"and who is in is cut: a relay that keeps the list back gains nothing. Ask the vendor how often he signs it.",
		Example: `revocations_max_age = "24h"`,
		Actions: []Action{ConnectAccept},
		deny: func(v *value, r *request) string {
			most := time.Duration(v.n)
			if most <= 0 {
				return ""
			}
			text, told := r.facts[RevocationsAge]
			if !told {
				return "no list of revoked certificates is known, and one that is not older than " + formatLength(most) + " is demanded"
			}
			age, err := time.ParseDuration(text)
			if err != nil {
				return "the fact revocations_age is not written like 8h or 30m"
			}
			if age > most {
				return "the list of revoked certificates is " + formatLength(age.Truncate(time.Second)) + " old, and no more than " + formatLength(most) + " are allowed"
			}
			return ""
		},
	}, {
		Block: "engineer", Name: "shell", Kind: Bool, Order: False, Default: "true",
		Subject: "interactive shells for engineers",
		Doc:     "Whether an engineer may have an interactive shell. With false, only commands.",
		Example: `shell = false`,
		Actions: []Action{AccessShell},
		deny:    permit("engineers get no interactive shell"),
		builtIn: yes(),
	}, {
		Block: "engineer", Name: "run_as", Kind: Names, Order: Intersect, Default: "any; the configuration names one",
		Subject: "users whom engineers act as",
		Doc:     "The local users whom an engineer may act as.",
		Example: `run_as = ["support"]`,
		Actions: append([]Action{AccessUpload, AccessFetch}, runs...),
		deny: func(v *value, r *request) string {
			if _, told := r.facts[RunAs]; !told && r.action != AccessShell && r.action != AccessCommand {
				return "" // files: the shell or the command was asked about before
			}
			return only(RunAs, "the local user", nil)(v, r)
		},
	}, {
		Block: "engineer", Name: "commands", Kind: Commands, Order: Intersect, Default: "any",
		Subject: "commands that engineers run",
		Doc: "The commands that an engineer may run. A * stands for anything except what a shell gives a meaning to (quotes, redirections, " +
			"separators, substitutions, line ends): a command with such signs must be listed letter for letter. With this list there is no interactive shell.",
		Example: `commands = ["df -h", "systemctl status *"]`,
		Actions: runs,
		deny:    denyCommands,
	}, {
		Block: "engineer", Name: "forwards", Kind: Hosts, Order: Intersect, Default: "any",
		Subject: "addresses that engineers reach through the tunnel",
		Doc:     "The host:port addresses that an engineer may forward to. An empty list forbids forwarding.",
		Example: `forwards = ["127.0.0.1:443", "10.0.0.5:*"]`,
		Actions: []Action{AccessForward},
		deny:    only(Address, "the address", withPort("")),
	}, {
		Block: "engineer", Name: "upload", Kind: Bool, Order: False, Default: "true",
		Subject: "uploads by engineers",
		Doc:     "Whether an engineer may put files on the machine.",
		Example: `upload = false`,
		Actions: []Action{AccessUpload},
		deny:    permit("engineers may not upload files"),
		builtIn: yes(),
	}, {
		Block: "engineer", Name: "upload_paths", Kind: Paths, Order: Intersect, Default: "any",
		Subject: "places for uploads by engineers",
		Doc:     "Where an engineer may put files. A * stays within one name, ** takes any number of directories.",
		Example: `upload_paths = ["/var/tmp/support/**"]`,
		Actions: []Action{AccessUpload},
		deny:    only(Path, "the path", cleanPath),
	}, {
		Block: "engineer", Name: "download", Kind: Bool, Order: False, Default: "true",
		Subject: "downloads by engineers",
		Doc:     "Whether an engineer may take files from the machine. Whatever a shell prints can be copied all the same.",
		Example: `download = false`,
		Actions: []Action{AccessFetch},
		deny:    permit("engineers may not download files"),
		builtIn: yes(),
	}, {
		Block: "engineer", Name: "download_paths", Kind: Paths, Order: Intersect, Default: "any",
		Subject: "files that engineers may download",
		Doc:     "What an engineer may take, as patterns like those of upload_paths.",
		Example: `download_paths = ["/var/log/**"]`,
		Actions: []Action{AccessFetch},
		deny:    only(Path, "the path", cleanPath),
	}, {
		Block: "engineer", Name: "recording", Kind: Enum, Order: Later, Default: `"best_effort"`,
		Words: []Word{{"best_effort", "everything is recorded; if that becomes impossible (a full disk), the connection goes on and an event says so"},
			{"required", "what cannot be recorded does not happen: the connection is cut"}},
		Subject: "recording of connections",
		Doc:     "What happens when a connection cannot be recorded. Every connection is recorded in any case.",
		Example: `recording = "required"`,
		Actions: []Action{ConnectAccept, AccessShell, AccessCommand, AccessForward, AccessUpload, AccessFetch},
		bound:   func(v *value, d *Decision, _ *request) { d.Duties.Record = v.n == 1 },
		builtIn: &value{n: 0},
	}, {
		Block: "engineer", Name: "vendor_reads_recordings", Kind: Bool, Order: False, Default: "true",
		Subject: "recordings that the vendor can open",
		Doc:     "Whether recordings may also be encrypted to the vendor's key, where the configuration asks for it.",
		Example: `vendor_reads_recordings = false`,
		Actions: []Action{RecordingShare},
		deny:    permit("recordings are for the customer's eyes only"),
		builtIn: yes(),
	}}
}

// shellSigns are what a shell gives a meaning to.
const shellSigns = ";&|`$<>(){}[]\\\"'\n\r\x00#!~?"

func denyCommands(v *value, r *request) string {
	if r.action == AccessShell {
		return "engineers may run listed commands only, so there is no interactive shell"
	}
	cmd := r.facts[Command]
	for _, l := range v.lists {
		if l.exact[cmd] {
			continue
		}
		if strings.ContainsAny(cmd, shellSigns) {
			return "the command has signs that a shell gives a meaning to, and is not listed letter for letter"
		}
		if !l.match(cmd) {
			return "the command is not one of those that are allowed"
		}
	}
	return ""
}
