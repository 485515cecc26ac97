package policy

import (
	"strconv"
	"strings"
	"time"
)

// remoteActions are those that need remote access to be allowed at all.
var remoteActions = []Action{SessionOpen, SessionExtend, SessionResume, ConnectAccept, AccessShell, AccessCommand, AccessForward, AccessUpload, AccessFetch}

// The words of remote_access as ranks.
const (
	accessAllowed = iota
	accessLockedOn
	accessLockedOff
	accessDisabled
)

func topKeys() []*Key {
	return []*Key{{
		Name: "remote_access", Kind: Enum, Order: Later, Default: `"allowed"`,
		Words: []Word{
			{"allowed", "an administrator switches it on and off"},
			{"locked_on", "`remote-support off` is refused; nothing else is granted by it"},
			{"locked_off", "nobody can switch it on; open sessions are cut"},
			{"permanently_disabled", "as locked_off, and the agent seals the system: this cannot be undone, not even by removing the file"},
		},
		Subject: "remote access",
		Doc:     "Whether remote access may be used at all. Bundles are not touched by it.",
		Example: `remote_access = "locked_off"`,
		Actions: append([]Action{SessionClose, PluginLaunch, TransportDial}, remoteActions...),
		deny:    denyRemoteAccess,
		builtIn: &value{n: accessAllowed},
	}, {
		Name: "require_signature", Kind: Bool, Order: True, Default: "false",
		Subject: "signatures on policy files",
		Doc: "Every policy file must be signed by a trusted signer (`remote-support policy trust`). It stays required when the file that " +
			"says so is gone: only signed files that say false, and none that says true, end it.",
		Example: `require_signature = true`,
	}}
}

func denyRemoteAccess(v *value, r *request) string {
	word := "remote access is switched off for good"
	if v.n == accessLockedOff {
		word = "remote access is locked off"
	}
	switch r.action {
	case SessionClose:
		if v.n == accessLockedOn {
			return "remote access is locked on"
		}
		return ""
	case PluginLaunch:
		session := r.facts[Purpose] == "session"
		if v.n == accessDisabled && (session || r.facts[Role] == "auth") || v.n == accessLockedOff && session {
			return word
		}
		return ""
	case TransportDial:
		if v.n < accessLockedOff || r.facts[Purpose] != "session" {
			return ""
		}
	}
	if v.n >= accessLockedOff {
		return word
	}
	return ""
}

func networkKeys() []*Key {
	dials := []Action{SessionOpen, BundleSend, TransportDial}
	return []*Key{{
		Block: "network", Name: "rss", Kind: Hosts, Order: Intersect, Default: "any",
		Subject: "relays (RSS)",
		Doc:     "The relays that this machine may talk to, for sessions and for bundles. Without a port, 443 is meant.",
		Example: `rss = ["rss.vendor.example", "*.support.vendor.example:443"]`,
		Actions: dials,
		deny: func(v *value, r *request) string {
			f := RSS
			if r.action == TransportDial {
				f = Address
			}
			return only(f, "the relay", withPort("443"))(v, r)
		},
	}, {
		Block: "network", Name: "transports", Kind: Names, Order: Intersect, Default: "any",
		Subject: "transports",
		Doc:     "The transport plugins that may carry a connection to the relay, by name.",
		Example: `transports = ["direct", "https"]`,
		Actions: []Action{SessionOpen, TransportDial},
		deny:    only(Transport, "the transport", lower),
	}, {
		Block: "network", Name: "proxies", Kind: Proxies, Order: Intersect, Default: "any, and none",
		Subject: "proxies",
		Doc: "The proxies that may be used, as scheme://host:port without credentials. The item `none` stands for a direct connection: " +
			"without it in the list, one must go through a proxy.",
		Example: `proxies = ["https://proxy.example.com:3128"]`,
		Actions: []Action{TransportDial, SessionOpen},
		deny: func(v *value, r *request) string {
			if _, told := r.facts[Proxy]; r.action == SessionOpen && !told {
				return "" // asked again when it dials
			}
			p, ok := proxyURL(r.facts[Proxy])
			if !ok {
				return "the proxy is malformed; it is written scheme://host:port"
			}
			for _, l := range v.lists {
				if !l.match(p) && p == "none" {
					return "a direct connection is not allowed, only one through a proxy"
				} else if !l.match(p) {
					return "the proxy " + p + " is not one of those that are allowed"
				}
			}
			return ""
		},
	}}
}

func withPort(port string) func(string) (string, bool) {
	return func(s string) (string, bool) { return hostPort(s, port) }
}

func lower(s string) (string, bool) { return strings.ToLower(s), true }

func sessionKeys() []*Key {
	who := []Action{SessionOpen, SessionExtend}
	return []*Key{{
		Block: "session", Name: "roles", Kind: Names, Order: Intersect, Default: `["admin", "root"]`,
		Words:   []Word{{"admin", "the Admin role of the array"}, {"root", "root on the machine itself"}},
		Subject: "roles that open sessions",
		Doc:     "Whoever opens or extends a session must have one of these roles. No other role can be added.",
		Example: `roles = ["admin"]`,
		Actions: who,
		deny: func(v *value, r *request) string {
			for _, l := range v.lists {
				if len(l.items) == 0 {
					return "nobody may do this"
				}
				if !anyOf(l, r.facts[Roles]) {
					return "the user has no role that may do this (has " + orNone(r.facts[Roles]) + ", needs one of " + strings.Join(l.items, ", ") + ")"
				}
			}
			return ""
		},
		builtIn: items(false, "admin", "root"),
	}, {
		Block: "session", Name: "users", Kind: Names, Order: Intersect, Default: "any",
		Subject: "users who open sessions",
		Doc:     "The users who may open or extend a session, by name.",
		Example: `users = ["ada", "ops-*"]`,
		Actions: who,
		deny:    only(User, "the user", nil),
	}, {
		Block: "session", Name: "methods", Kind: Names, Order: Intersect, Default: "any",
		Words: []Word{{"root", "root on the machine itself"}, {"infinibox", "user name and password of the array"},
			{"challenge", "challenge and response"}, {"sso", "single sign-on"}, {"*", "any, also those of other plugins; plugin names are taken as they are"}},
		Subject: "ways to log in",
		Doc:     "How the user must have logged in to open or extend a session.",
		Example: `methods = ["sso", "challenge"]`,
		Actions: who,
		deny:    only(Method, "the login method", lower),
	}, {
		Block: "session", Name: "mfa", Kind: Bool, Order: True, Default: "false",
		Subject: "a second factor for opening sessions",
		Doc:     "A session may be opened or extended only by somebody who proved a second factor at login.",
		Example: `mfa = true`,
		Actions: who,
		deny: func(v *value, r *request) string {
			if v.yes && r.facts[MFA] != "true" {
				return "a second factor is needed, and this login had none"
			}
			return ""
		},
	}, {
		Block: "session", Name: "max_duration", Kind: Length, Order: Less, Default: "no automatic expiry",
		Subject: "the longest session",
		Doc: "How long a session may be, extensions included. One that asks for more is refused; one that does not say gets this much. " +
			"It is no idle time-out: the session is cut when it ends.",
		Example: `max_duration = "8h"`,
		Actions: who,
		deny: func(v *value, r *request) string {
			if v.n > 0 && r.duration > time.Duration(v.n) {
				return "a session of " + formatLength(r.duration) + " is longer than the " + formatLength(time.Duration(v.n)) + " that are allowed"
			}
			return ""
		},
		bound: func(v *value, d *Decision, _ *request) {
			if v.n > 0 {
				d.Limits.MaxDuration = time.Duration(v.n)
			}
		},
	}, {
		Block: "session", Name: "window", Kind: Windows, Order: Intersect, Default: "always",
		Subject: "hours in which sessions may be open",
		Doc: "When sessions may be open, connections and everything in them included. A file with several windows means any of them; several files " +
			"mean all of the files. A session ends with the window. `days` takes mon to sun, ranges and daily; `from` and `to` are clock times, over midnight if " +
			"`to` is not after `from`; `zone` is an IANA name and must be given.",
		Example: "window \"working-hours\" {\n  days = [\"mon-fri\"]\n  from = \"08:00\"\n  to   = \"18:00\"\n  zone = \"Europe/Zurich\"\n}",
		Actions: remoteActions,
		deny: func(v *value, r *request) string {
			if v.windows.end(r.now).IsZero() {
				return "no window is open at " + r.now.Format("Mon 15:04 MST")
			}
			return ""
		},
		bound: func(v *value, d *Decision, r *request) {
			if end := v.windows.end(r.now); end.Before(forever) {
				d.Limits.Until = end
			}
		},
	}, {
		Block: "session", Name: "resume_after_restart", Kind: Bool, Order: False, Default: "true",
		Subject: "sessions that go on after a restart",
		Doc: "Whether a session may go on after a crash or a restart of the machine, where the configuration asks for it. " +
			"With false it is ended, whatever the configuration says.",
		Example: `resume_after_restart = false`,
		Actions: []Action{SessionResume},
		deny:    permit("a session may not go on after a restart"),
		builtIn: yes(),
	}}
}

// anyOf reports whether one of the comma-separated words is in the list.
func anyOf(l *list, words string) bool {
	for w := range strings.SplitSeq(words, ",") {
		if w = strings.ToLower(strings.TrimSpace(w)); w != "" && l.match(w) {
			return true
		}
	}
	return false
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func approvalKeys() []*Key {
	people := func(n int64, r *request) string {
		if have := int64(countDistinct(r.facts[Approvers])); have < n {
			return "the connection needs the approval of " + plural(n, "person", "different people") + " and has " + strconv.FormatInt(have, 10)
		}
		return ""
	}
	return []*Key{{
		Block: "approval", Name: "mode", Kind: Enum, Order: Later, Default: `"none"`,
		Words: []Word{{"none", "the secret is consent enough"}, {"ask", "somebody at the customer says yes to each connection"},
			{"deny", "no connection is let in, though a session may be open"}},
		Subject: "approval of each connection",
		Doc:     "What happens when an engineer connects to an open session.",
		Example: `mode = "ask"`,
		Actions: []Action{ConnectAccept},
		deny: func(v *value, r *request) string {
			switch v.n {
			case 1:
				return people(1, r)
			case 2:
				return "connections are not let in"
			}
			return ""
		},
		bound: func(v *value, d *Decision, _ *request) {
			if v.n == 1 {
				d.Duties.Approvals = max(d.Duties.Approvals, 1)
			}
		},
		builtIn: &value{n: 0},
	}, {
		Block: "approval", Name: "people", Kind: Number, Order: More, Default: "as mode says",
		Subject: "people who must approve a connection",
		Doc:     "How many different people must approve each connection, 1 to 5. It implies mode = \"ask\".",
		Example: `people = 2`,
		Actions: []Action{ConnectAccept},
		deny:    func(v *value, r *request) string { return people(v.n, r) },
		bound:   func(v *value, d *Decision, _ *request) { d.Duties.Approvals = max(d.Duties.Approvals, int(v.n)) },
	}, {
		Block: "approval", Name: "timeout", Kind: Length, Order: Less, Default: `"15m"`,
		Subject: "the time to approve a connection",
		Doc:     "How long an engineer waits for approval. No answer by then is a no. It cannot be longer than the default.",
		Example: `timeout = "2m"`,
		Actions: []Action{ConnectAccept},
		bound:   func(v *value, d *Decision, _ *request) { d.Duties.ApprovalTimeout = time.Duration(v.n) },
		builtIn: &value{n: int64(15 * time.Minute)},
	}}
}

func countDistinct(words string) int {
	seen := map[string]bool{}
	for w := range strings.SplitSeq(words, ",") {
		if w = strings.ToLower(strings.TrimSpace(w)); w != "" {
			seen[w] = true
		}
	}
	return len(seen)
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
