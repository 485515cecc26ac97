package policy

import "time"

// webKeys are about the pages, and about how fresh a login is.
func webKeys() []*Key {
	return []*Key{{
		Block: "session", Name: "max_login_age", Kind: Length, Order: Less, Default: `"15m"`,
		Subject: "the age of a login that opens sessions",
		Doc: "How long ago somebody may have logged in who opens or extends a session, or approves a connection. " +
			"Looking on, cutting and turning off need no fresh login. Root on the machine itself has no login that could grow old.",
		Example: `max_login_age = "5m"`,
		Actions: []Action{SessionOpen, SessionExtend},
		deny: func(v *value, r *request) string {
			text, told := r.facts[LoginAge]
			if !told {
				return "" // no login, or the question is whether he may at all
			}
			age, err := time.ParseDuration(text)
			if err != nil || age < 0 {
				return "the fact login_age is not written like 8h or 30m"
			}
			if most := time.Duration(v.n); age > most {
				return "the login is " + formatLength(age.Truncate(time.Second)) + " old, and no more than " + formatLength(most) + " are allowed; log in again"
			}
			return ""
		},
		builtIn: &value{n: int64(15 * time.Minute)},
	}, {
		Block: "web", Name: "enabled", Kind: Bool, Order: False, Default: "true",
		Subject: "web pages",
		Doc:     "Whether the agent may serve its web pages at all. With false nothing listens, whatever its command line says, and pages that are being served end at once.",
		Example: `enabled = false`,
		Actions: []Action{WebServe},
		deny:    permit("the web pages are switched off"),
		builtIn: yes(),
	}, {
		Block: "web", Name: "addresses", Kind: Hosts, Order: Intersect, Default: "any",
		Subject: "addresses of the web pages",
		Doc: "The addresses of this machine on which the web pages may be served, as host:port. A command line that names no host means all of them, " +
			"which is written `0.0.0.0:9000` here.",
		Example: `addresses = ["10.0.0.5:9000", "127.0.0.1:*"]`,
		Actions: []Action{WebServe},
		deny:    only(Address, "the address", withPort("")),
	}}
}
