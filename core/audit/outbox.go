package audit

// The events about bringing events elsewhere. They are never delivered
// themselves: what a sink does wrong must not make more for it to do.
const (
	EventDropped Type = "event.dropped" // more waited for a sink than are kept; which records it did not get is in the detail
	EventRefused Type = "event.refused" // a sink refused an event for good; the record's number is in the detail
	EventTested  Type = "event.tested"  // somebody sent a test through a sink
)

// Failures of the machine's hardware, as far as its kernel says (REQ F3).
const (
	HardwareFailed    Type = "hardware.failed"    // which part, and what is wrong with it, is in the detail
	HardwareRecovered Type = "hardware.recovered" // it is whole again
)
