package audit

// The events of a relay about remote access. Its word is about what passed
// through it; what happened on the system stands in the system's own log.
const (
	SessionAnnounced Type = "session.announced" // a system opened a session
	SessionGone      Type = "session.ended"     // it said goodbye, or did not come back
	ConnectSpliced   Type = "connect.spliced"   // an engineer was connected to a system
	ConnectClosed    Type = "connect.closed"    // with how many bytes
	RecordingStored  Type = "recording.stored"  // segments of a recording, under one running hash
	SystemGrouped    Type = "system.grouped"    // which engineers reach it was changed
	SystemNumbered   Type = "system.numbered"   // its serial number was changed
)
