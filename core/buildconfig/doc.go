// Package buildconfig puts the configuration of a machine in force.
//
// Editing local.cfg changes nothing. `remote-support build-config` reads it and
// the policy files, refuses both when anything is wrong with either, and writes
// the effective configuration as one file, atomically: after a power cut the
// old one is in force or the new one. [Build] reports what changed, [Pending]
// what was edited and is not in force yet (REQ G3, G4).
//
// Policy files are different: they are in force as soon as the agent loads
// them, because a security team that takes something away does not want to wait
// for an administrator. Build records which were in force when it ran.
package buildconfig
