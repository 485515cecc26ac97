// Package policies holds worked examples of policies, each with its tests.
//
//	default               what the packages install: sensible, easy to loosen or tighten
//	bank                  approval by two, office hours, no files in either direction
//	air-gapped            no network at all: bundles are carried by hand
//	locked-off            remote access off until the security team says otherwise
//	permanently-disabled  remote access off for good; the agent seals the system
//	vendor-managed        remote access stays on, and what it may reach is fixed
//
// To use one, copy its .hcl file to /etc/latchstring/policies.d and change what
// is yours. `remote-support policy test DIR` runs its tests, which a copy should
// keep too. The language is described in docs/POLICY.md; schema.json is for
// editors that write the JSON form.
package policies
