// Package cases runs the tests of policies, as go test runs those of programs.
//
// Beside its policy files a directory holds archives in the txtar form, *.txtar.
// The file "cases" in an archive says what must be allowed and what must not:
//
//	-- cases --
//	given user=ada method=sso roles=admin rss=rss.example.com transport=https
//
//	# during office hours, and no longer than them
//	allow session.open duration=4h time=2026-03-02T10:00:00+01:00
//	  until 2026-03-02T18:00:00+01:00
//	deny session.open duration=4h time=2026-03-02T23:00:00+01:00
//	  by session.window
//	  because "no window is open"
//
// A case is a line that begins with allow or deny; indented lines below it say
// more about the answer: `by KEY`, `at FILE:LINE`, `because TEXT`, `limit
// duration 8h`, `limit bytes 500MB`, `until TIME`, `needs approvals 2`, `needs
// recording`, `needs answer 2m`. Besides there are:
//
//	given FACT=VALUE...     facts of all cases that follow; alone, none
//	show KEY VALUE          the effective value
//	hide TEXT, keep TEXT    whether an extra redaction takes hold of the text
//	invalid TEXT            the policy does not load, and the error says this
//
// Policy files in the archive replace those of the directory. [Run] also
// reports which rules no case has tried: a rule is covered when it refused
// something, or when a case names the limit, duty or value that it sets.
package cases
