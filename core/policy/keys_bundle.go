package policy

import (
	"path"
	"strconv"
	"strings"
)

// cleanPath accepts an absolute path without detours. Whoever opens files
// resolves links before it asks.
func cleanPath(s string) (string, bool) {
	return s, strings.HasPrefix(s, "/") && path.Clean(s) == s && !strings.Contains(s, "\x00")
}

// neverOpened are files that no collector is handed: they hold nothing that
// support could use, and nothing that sanitizing could leave of them.
var neverOpened = []string{
	"/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/security/opasswd",
	"/etc/ssh/ssh_host_*_key", "/etc/ssl/private/**", "/etc/pki/tls/private/**",
	"/**/.ssh/id_*", "/**/.gnupg/**", "/**/.password-store/**",
	"/**/*.key", "/**/*.p12", "/**/*.pfx", "/**/*.jks", "/**/*.keytab", "/**/*.kdbx",
	"/proc/kcore", "/proc/*/mem", "/proc/*/task/*/mem", "/dev/mem", "/dev/kmem", "/dev/port",
	"/var/lib/latchstring/identity/**", "/var/lib/latchstring/sanitize/**",
}

// neverRun are programs that would make the list of declared commands
// meaningless, because they run whatever they are told.
var neverRun = []string{"ash", "bash", "busybox", "csh", "dash", "doas", "fish", "ksh", "mksh", "pkexec", "sh", "su", "sudo", "tcsh", "zsh"}

func bundleKeys() []*Key {
	all := []Action{BundleCreate, BundleCollect, BundleSend, BundleWrite}
	return []*Key{{
		Block: "bundles", Name: "allowed", Kind: Bool, Order: False, Default: "true",
		Subject: "support bundles",
		Doc:     "Whether support bundles may be made at all.",
		Example: `allowed = false`,
		Actions: append([]Action{HostOpen, HostRun}, all...),
		deny:    permit("support bundles are forbidden"),
		builtIn: yes(),
	}, {
		Block: "bundles", Name: "send", Kind: Bool, Order: False, Default: "true",
		Subject: "bundles sent over the network",
		Doc:     "Whether bundles may be sent. With false they can only be written to a file and carried by hand.",
		Example: `send = false`,
		Actions: []Action{BundleSend},
		deny:    permit("bundles may not be sent, only written to a file and carried by hand"),
		builtIn: yes(),
	}, {
		Block: "bundles", Name: "write", Kind: Bool, Order: False, Default: "true",
		Subject: "bundles written to a file",
		Doc:     "Whether bundles may be written to a file (`send-bundle --output`).",
		Example: `write = false`,
		Actions: []Action{BundleWrite},
		deny:    permit("bundles may not be written to a file"),
		builtIn: yes(),
	}, {
		Block: "bundles", Name: "collectors", Kind: Names, Order: Intersect, Default: "any",
		Subject: "collectors",
		Doc:     "The collectors that may run, by name.",
		Example: `collectors = ["system", "logs"]`,
		Actions: []Action{BundleCollect},
		deny:    only(Collector, "the collector", nil),
	}, {
		Block: "bundles", Name: "deny_collectors", Kind: Names, Order: Union, Default: "none",
		Subject: "forbidden collectors",
		Doc:     "Collectors that may not run.",
		Example: `deny_collectors = ["core-dumps"]`,
		Actions: []Action{BundleCollect},
		deny:    never(Collector, "the collector", nil),
	}, {
		Block: "bundles", Name: "destinations", Kind: Hosts, Order: Intersect, Default: "as network.rss",
		Subject: "destinations of bundles",
		Doc:     "The relays to which bundles may be sent, besides what network.rss says.",
		Example: `destinations = ["rss.vendor.example"]`,
		Actions: []Action{BundleSend},
		deny:    only(RSS, "the destination", withPort("443")),
	}, {
		Block: "bundles", Name: "max_size", Kind: Size, Order: Less, Default: "no limit",
		Subject: "the largest bundle",
		Doc:     "How large a finished bundle may be.",
		Example: `max_size = "500MB"`,
		Actions: []Action{BundleCreate, BundleSend, BundleWrite},
		deny: func(v *value, r *request) string {
			if r.hasBytes && r.bytes > v.n {
				return "a bundle of " + strconv.FormatInt(r.bytes, 10) + " bytes is larger than the " + formatSize(v.n) + " that are allowed"
			}
			return ""
		},
		bound: func(v *value, d *Decision, _ *request) { d.Limits.MaxBytes = v.n },
	}, {
		Block: "bundles", Name: "deny_paths", Kind: Paths, Order: Union,
		Default: "private keys, password files, memory: " + strings.Join(neverOpened, ", "),
		Subject: "files kept out of bundles",
		Doc:     "Files that no collector is handed, besides the built-in ones. A * stays within one name, ** takes any number of directories.",
		Example: `deny_paths = ["/srv/customers/**"]`,
		Actions: []Action{HostOpen},
		deny:    never(Path, "the file", cleanPath),
		builtIn: items(true, neverOpened...),
	}, {
		Block: "bundles", Name: "deny_commands", Kind: Names, Order: Union,
		Default: "shells: " + strings.Join(neverRun, ", "),
		Subject: "programs that collectors may not run",
		Doc:     "Programs that no collector may have run, by the name of the file without its directory, besides the built-in ones.",
		Example: `deny_commands = ["dmesg"]`,
		Actions: []Action{HostRun},
		deny: never(Command, "the program", func(s string) (string, bool) {
			fields := strings.Fields(s)
			if len(fields) == 0 {
				return "", false
			}
			return path.Base(fields[0]), true
		}),
		builtIn: items(false, neverRun...),
	}, {
		Block: "bundles", Name: "commands", Kind: Commands, Order: Union, Default: "none",
		Subject: "commands that bundles collect",
		Doc: "Command lines whose output is collected as well, for what no collector knows. They run without a shell, as the user of send-bundle; words are parted at spaces. " +
			"A program of deny_commands does not run, nor one that others than its owner may write to; the output is sanitized like everything.",
		Example: `commands = ["/opt/acme/bin/acmectl status --all"]`,
	}, {
		Block: "bundles", Name: "random_ips", Kind: Bool, Order: True, Default: "false",
		Subject: "addresses without structure",
		Doc: "Whether the pseudonyms of IP addresses hide which addresses share a network, in bundles and in `send-bundle sanitize`. Otherwise two addresses of a network " +
			"have pseudonyms of a network, which support needs to understand routes; whoever knows some addresses of the customer can learn more from that.",
		Example: `random_ips = true`,
	}, {
		Block: "bundles", Name: "redact", Kind: Redacting, Order: Union, Default: "the product's own rules",
		Subject: "redactions",
		Doc: "Something more to hide in bundles. Say one of `literal` (a text), `key` (the values of a key, such as customer_id) or `regexp` (RE2; what the group named " +
			"mask or the first group takes is hidden, else the whole match; needs `anchors`, words of which one stands in every match). Nothing that the product hides can be shown again.",
		Example: "redact \"account-numbers\" {\n  regexp  = \"account (?P<mask>[0-9]{8})\"\n  anchors = [\"account\"]\n}",
	}}
}
