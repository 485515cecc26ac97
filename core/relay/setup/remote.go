package setup

import "time"

// Remote bounds remote access. A field that is zero has its default.
type Remote struct {
	Sockets      int `json:"sockets,omitempty"`       // open TCP connections in total
	Sessions     int `json:"sessions,omitempty"`      // open sessions in total
	Connections  int `json:"connections,omitempty"`   // engineers' connections in total
	PerSource    int `json:"per_source,omitempty"`    // open connections from one address
	SourceRate   int `json:"source_rate,omitempty"`   // requests a second from one address, five times that in a burst
	PerSystem    int `json:"per_system,omitempty"`    // engineers' connections to one system
	PerEngineer  int `json:"per_engineer,omitempty"`  // connections of one engineer
	EngineerRate int `json:"engineer_rate,omitempty"` // connections a minute of one engineer
	SystemRate   int `json:"system_rate,omitempty"`   // new sessions an hour of one system
	ClaimSeconds int `json:"claim_seconds,omitempty"` // for a system to dial back
	IdleSeconds  int `json:"idle_seconds,omitempty"`  // of a connection without a byte either way
	DrainSeconds int `json:"drain_seconds,omitempty"` // for connections to end when the relay stops
	MaxSegment   int `json:"max_segment,omitempty"`   // bytes of one segment of a recording
	Recordings   int `json:"recordings_mb,omitempty"` // megabytes of recordings of one system
	Segments     int `json:"segments,omitempty"`      // segments of one recording
	ReturnRate   int `json:"return_rate,omitempty"`   // systems a second that are asked to come back after a drain
}

// DefaultRemote are the defaults.
var DefaultRemote = Remote{Sockets: 50_000, Sessions: 20_000, Connections: 2_000, PerSource: 2_000, SourceRate: 200, PerSystem: 32, PerEngineer: 64,
	EngineerRate: 120, SystemRate: 60, ClaimSeconds: 15, IdleSeconds: 120, DrainSeconds: 30, MaxSegment: 4 << 20, Recordings: 20_000, Segments: 200_000, ReturnRate: 150}

func (r *Remote) fields(d *Remote) [][2]*int {
	return [][2]*int{{&r.Sockets, &d.Sockets}, {&r.Sessions, &d.Sessions}, {&r.Connections, &d.Connections}, {&r.PerSource, &d.PerSource},
		{&r.SourceRate, &d.SourceRate}, {&r.PerSystem, &d.PerSystem}, {&r.PerEngineer, &d.PerEngineer}, {&r.EngineerRate, &d.EngineerRate},
		{&r.SystemRate, &d.SystemRate}, {&r.ClaimSeconds, &d.ClaimSeconds}, {&r.IdleSeconds, &d.IdleSeconds}, {&r.DrainSeconds, &d.DrainSeconds},
		{&r.MaxSegment, &d.MaxSegment}, {&r.Recordings, &d.Recordings}, {&r.Segments, &d.Segments}, {&r.ReturnRate, &d.ReturnRate}}
}

// WithDefaults fills in what is zero.
func (r Remote) WithDefaults() Remote {
	d := DefaultRemote
	for _, f := range r.fields(&d) {
		if *f[0] == 0 {
			*f[0] = *f[1]
		}
	}
	return r
}

func (r Remote) valid() bool {
	d := DefaultRemote
	for _, f := range r.fields(&d) {
		if *f[0] < 0 {
			return false
		}
	}
	return true
}

// Claim, Idle and Drain are the fields of that name as durations.
func (r Remote) Claim() time.Duration { return time.Duration(r.ClaimSeconds) * time.Second }

// Idle is IdleSeconds.
func (r Remote) Idle() time.Duration { return time.Duration(r.IdleSeconds) * time.Second }

// Drain is DrainSeconds.
func (r Remote) Drain() time.Duration { return time.Duration(r.DrainSeconds) * time.Second }
