package bundle

import (
	"time"

	"github.com/latchstring/latchstring/core/sanitize"
)

// Signer signs the manifest. The system's identity is one.
type Signer interface {
	// Sign returns an armored sshsig signature over message.
	Sign(namespace string, message []byte) ([]byte, error)
}

// Options say how a bundle is made.
type Options struct {
	Spool      string // parent of the private spool directories
	Engine     sanitize.Engine
	Signer     Signer
	System     System
	Tool       Tool
	Policy     string // version or hash, for the manifest
	Pseudonyms bool   // whether Engine has a key, for the manifest
	Format     Format // [TarZstd] when empty
	Limits     Limits
	Request    Request       // MaxBytes is filled in from Limits
	Record     RequestRecord // the same in the words of the user, for the manifest
	Missing    []Missing     // what was left out before collecting began
	Asked      *Asked        // the vendor's request that the run answers, for the manifest

	// KeepRaw keeps what was read, for [Draft.Raw]: encrypted with a key that
	// exists in this process only, so nobody reads it after it, not even after
	// a crash.
	KeepRaw bool
	// Leave, when not nil, tells which items the user left out. They are not
	// read.
	Leave func(collector, item string) bool

	// Now is the clock of the manifest. With a fixed one, the same input gives
	// the same bytes. Nil means the machine's.
	Now func() time.Time
	// Progress, when not nil, is called often, from one goroutine at a time.
	Progress func(Progress)
}

// Progress is what a run is doing.
type Progress struct {
	Stage     Stage
	Collector string
	Item      string
	Files     int           // finished so far
	Bytes     int64         // written so far in this stage
	Planned   int           // files expected, 0 when unknown
	Left      time.Duration // an estimate, 0 when unknown
}

// Stage is a part of a run.
type Stage string

// The stages, in order.
const (
	Planning   Stage = "plan"
	Collecting Stage = "collect"
	Packing    Stage = "pack"
	Verifying  Stage = "verify"
	Sealing    Stage = "seal"
)

func (o *Options) progress(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}
