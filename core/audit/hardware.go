package audit

// The events about the hardware of this machine. What it is about is the subject;
// what was wrong, how bad and what was read is in the detail.
const (
	HardwareFailed    Type = "hardware.failed"    // told once for each failure
	HardwareRecovered Type = "hardware.recovered" // well again, or no longer there
)
