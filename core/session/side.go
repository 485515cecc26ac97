package session

// The kinds of messages beside the stream of a connection.
const (
	// SideHead, from the system: a head of the recording (record.Head in JSON)
	// that the engineer's client counter-signs.
	SideHead byte = 1
	// SideWitness, from the engineer's client: a [Witness] in JSON.
	SideWitness byte = 2
)

// Witness is the counter-signature of the engineer's client over a head of the
// recording of its connection.
type Witness struct {
	Segment   int    `json:"segment"`
	Hash      string `json:"hash"`
	Signature string `json:"signature"` // armored; see record.SignHead
}
