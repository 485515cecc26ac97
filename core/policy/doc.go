// Package policy decides what is allowed.
//
// One place decides, many enforce: whoever is about to do something that the
// customer may have an opinion about asks [Policy.Decide] with an [Action] and
// the [Facts], and obeys. The answer carries the rule that decided, with file,
// line and column, and goes as it is into refusals and into the audit log.
//
//	p, err := policy.Open(root) // err says what is wrong with the files; p denies accordingly
//	d := p.Decide(policy.BundleSend, policy.Facts{policy.RSS: addr, policy.Bytes: "120000"})
//	if err := d.Err(); err != nil {
//		return err // a *Refusal: exit code 3
//	}
//
// # The language
//
// Policy files are HCL without variables, functions or expressions. The table of
// all keys (see [Key]) is the one definition of the language: the loader, the
// merge, the decisions, docs/POLICY.md and the JSON schema are made from it. To
// add a key, add a row; the tests then ask for a sentence, an example and an
// order.
//
// # Strictest wins
//
// Every line of every file is a statement that refuses some requests and lets
// the others be. A request is allowed when no statement refuses it. So adding a
// file never allows more, the order of files has no meaning, and the lines that
// refuse are exactly those that [Policy.Explain] names. The merged value of a
// key is the quick way to ask all statements at once.
//
// The built-in default is a set of statements like any other, the least strict
// ones that make sense. Nothing can be looser than it. What should be off until
// somebody wants it is a matter of configuration (local.cfg), which policy can
// forbid.
//
// # Fail closed
//
// A file that is not understood, not signed where it must be, changed, older
// than before or gone leaves a policy that denies remote access, and bundles
// too where the mistake may hide a rule about them. What it says of bundles
// otherwise still holds. [Open] remembers in several places what it loaded.
//
// Before it reads any of this it looks for the seal of a system that was
// disabled for good (package seal).
//
// # What it does not do
//
// It knows no plugin, no session and no address beyond what the facts say, and
// it cannot check them. Facts come from code that enforces, never from who asks.
package policy
