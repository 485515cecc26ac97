package policy

// fault is what is refused because files could not be read: remote access in
// any case, bundles where a mistake may have hidden a rule about them.
type fault struct {
	rule       Rule // the first mistake
	bundles    bool
	bundleRule Rule
}

// Note is something about the policy files that the customer should know and
// that does not stop them from loading.
type Note struct {
	File string `json:"file"`
	Text string `json:"text"`
}
