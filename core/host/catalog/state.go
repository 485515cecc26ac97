package catalog

// State says how far a plugin is trusted, as policies and people spell it.
type State string

// The states.
const (
	Builtin          State = "builtin"           // part of the product
	Trusted          State = "trusted"           // signed by a publisher who is trusted here
	Unsigned         State = "unsigned"          // no signature
	UnknownPublisher State = "unknown-publisher" // signed by nobody who is trusted here
	Modified         State = "modified"          // not what was signed, or somebody else may write to it
	Revoked          State = "revoked"           // withdrawn by policy, by checksum
	Denied           State = "denied-by-policy"
	Incompatible     State = "incompatible" // for another version, machine or a role that is taken
)

// Whole reports whether the plugin is what its manifest says, so that policy
// may be asked about it. What is not whole never runs, whatever policy says.
func (s State) Whole() bool {
	switch s {
	case Builtin, Trusted, Unsigned, UnknownPublisher:
		return true
	}
	return false
}
