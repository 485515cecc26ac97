package audit

// The events about bringing events elsewhere. They are never delivered
// themselves: what a sink does wrong must not make more for it to do.
const (
	EventDropped Type = "event.dropped" // more waited for a sink than are kept; which records it did not get is in the detail
	EventRefused Type = "event.refused" // a sink refused an event for good; the record's number is in the detail
	EventTested  Type = "event.tested"  // somebody sent a test through a sink
)
