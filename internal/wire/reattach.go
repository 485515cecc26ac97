package wire

// Reattach says how to attach to a plugin that a developer started with
// -debug. It is printed as JSON, and read by `plugincheck --attach`.
type Reattach struct {
	Plugin   string `json:"plugin"` // ROLE/NAME
	Protocol int    `json:"protocol"`
	Address  string `json:"address"` // unix socket of gRPC
	Handoff  string `json:"handoff"` // unix socket (seqpacket) of the handoff channel
	Pid      int    `json:"pid"`
}
