package policy

import "strings"

// sandboxWords are the levels that core/host reports, from the weakest.
var sandboxWords = []Word{
	{"bare", "resource limits only"},
	{"seccomp-only", "system calls are filtered"},
	{"no-landlock", "filtered system calls and a user of its own"},
	{"no-port-rules", "as before, and files are guarded by Landlock"},
	{"unprivileged", "files and ports are guarded by Landlock, but the host is not root"},
	{"full", "everything: own user, files, ports, system calls"},
}

func pluginKeys() []*Key {
	launch := []Action{PluginLaunch}
	foreign := func(deny func(*value, *request) string) func(*value, *request) string {
		return func(v *value, r *request) string {
			if r.facts[State] == "builtin" {
				return ""
			}
			return deny(v, r)
		}
	}
	name := func(r *request) string { return strings.ToLower(r.facts[Role] + "/" + r.facts[Name]) }
	publisher := func(s string) (string, bool) { return s, true }
	return []*Key{{
		Block: "plugins", Name: "states", Kind: Names, Order: Intersect, Default: `["builtin", "trusted"]`,
		Words:   []Word{{"builtin", "part of the product"}, {"trusted", "signed by a publisher who is trusted here"}},
		Subject: "plugins by trust",
		Doc:     "Plugins in no other state of trust ever run. `[\"builtin\"]` forbids those of other publishers.",
		Example: `states = ["builtin"]`,
		Actions: []Action{PluginLaunch, HostOpen, HostRun},
		deny: func(v *value, r *request) string {
			state, told := r.facts[State]
			if !told && r.action != PluginLaunch {
				return "" // the plugin runs, so it was asked about at launch
			}
			for _, l := range v.lists {
				if !l.match(state) {
					return "a plugin that is " + orNone(state) + " may not run"
				}
			}
			return ""
		},
		builtIn: items(false, "builtin", "trusted"),
	}, {
		Block: "plugins", Name: "allow", Kind: Names, Order: Intersect, Default: "any",
		Subject: "plugins",
		Doc:     "The plugins that may run, as role/name. Built-in ones too.",
		Example: `allow = ["transport/*", "collect/system", "collect/logs"]`,
		Actions: launch,
		deny: func(v *value, r *request) string {
			for _, l := range v.lists {
				if !l.match(name(r)) {
					return "the plugin " + name(r) + " is not one of those that are allowed"
				}
			}
			return ""
		},
	}, {
		Block: "plugins", Name: "deny", Kind: Names, Order: Union, Default: "none",
		Subject: "forbidden plugins",
		Doc:     "Plugins that may not run, as role/name.",
		Example: `deny = ["transport/socks", "eventsink/*"]`,
		Actions: launch,
		deny: func(v *value, r *request) string {
			for _, l := range v.lists {
				if item := l.find(name(r)); item != "" {
					return "the plugin " + name(r) + " is denied by " + item
				}
			}
			return ""
		},
	}, {
		Block: "plugins", Name: "publishers", Kind: Names, Order: Intersect, Default: "any who is trusted",
		Subject: "publishers of plugins",
		Doc:     "The publishers whose plugins may run. Built-in plugins have none and are not touched.",
		Example: `publishers = ["acme"]`,
		Actions: launch,
		deny:    foreign(only(Publisher, "the publisher", publisher)),
	}, {
		Block: "plugins", Name: "deny_publishers", Kind: Names, Order: Union, Default: "none",
		Subject: "forbidden publishers of plugins",
		Doc:     "Publishers whose plugins may not run.",
		Example: `deny_publishers = ["acme-labs"]`,
		Actions: launch,
		deny:    foreign(never(Publisher, "the publisher", publisher)),
	}, {
		Block: "plugins", Name: "sha256", Kind: Digests, Order: Intersect, Default: "any",
		Subject: "plugins by checksum",
		Doc:     "The only plugin files that may run, by checksum. Built-in plugins are not touched.",
		Example: `sha256 = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]`,
		Actions: launch,
		deny:    foreign(only(SHA256, "the plugin with checksum", lower)),
	}, {
		Block: "plugins", Name: "revoked", Kind: Digests, Order: Union, Default: "none",
		Subject: "revoked plugins",
		Doc:     "Plugin files that may not run any more, by checksum. Built-in ones too.",
		Example: `revoked = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]`,
		Actions: launch,
		deny:    never(SHA256, "the plugin with checksum", lower),
	}, {
		Block: "plugins", Name: "min_sandbox", Kind: Enum, Order: Later, Default: `"bare"`,
		Words:   sandboxWords,
		Subject: "the sandbox that plugins must have",
		Doc:     "A plugin is not started where the machine cannot confine it at least this much.",
		Example: `min_sandbox = "no-port-rules"`,
		Actions: launch,
		deny: func(v *value, r *request) string {
			if v.n == 0 {
				return ""
			}
			for i, w := range sandboxWords {
				if w.Word == r.facts[Sandbox] && int64(i) >= v.n {
					return ""
				}
			}
			return "the sandbox reaches the level " + orNone(r.facts[Sandbox]) + " and must reach " + sandboxWords[v.n].Word
		},
		builtIn: &value{n: 0},
	}}
}

func notifyKeys() []*Key {
	return []*Key{{
		Block: "notify", Name: "always", Kind: Names, Order: Union, Default: "none",
		Words: []Word{
			{"support_session_started", "a session was opened"}, {"support_connected", "an engineer entered"},
			{"support_disconnected", "an engineer left"}, {"support_session_ended", "a session ended"},
			{"bundle_sent", "a bundle was sent"}, {"policy_changed", "the policy in force changed"},
			{"hardware_failure", "hardware failed"}, {"*", "all of them"},
		},
		Subject: "notifications that cannot be switched off",
		Doc:     "Notifications that nobody can switch off on this machine.",
		Example: `always = ["support_session_started", "support_connected"]`,
		Actions: []Action{NotifyDisable},
		deny:    never(Event, "the notification", lower),
	}}
}
