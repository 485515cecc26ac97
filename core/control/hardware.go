package control

import "time"

// Hardware is how the hardware of the machine stands (REQ F3).
type Hardware struct {
	On       bool              `json:"watched"`
	Reason   string            `json:"reason,omitempty"` // why it is not watched
	Since    time.Time         `json:"watched_since,omitzero"`
	Looked   time.Time         `json:"last_look,omitzero"`
	Millis   float64           `json:"look_took_milliseconds"`
	Problem  string            `json:"problem,omitempty"` // with the watching
	Kinds    []HardwareKind    `json:"kinds"`
	Failures []HardwareFailure `json:"failures"`
}

// HardwareKind is what there is of one kind.
type HardwareKind struct {
	Kind    string   `json:"kind"`
	Watched int      `json:"watched"`
	Failed  int      `json:"failed"`
	Names   []string `json:"names"` // the first of them
}

// HardwareFailure is something that is not as it should be.
type HardwareFailure struct {
	Component string    `json:"component"`
	Kind      string    `json:"kind"`
	What      string    `json:"what"`
	Level     string    `json:"level"` // warning, error, critical
	Evidence  string    `json:"evidence"`
	Since     time.Time `json:"since"`
	Told      time.Time `json:"told,omitzero"` // since when it is in the audit log; it may still pass before that
	Well      time.Time `json:"well,omitzero"` // since when it is well, and not yet told so
}
