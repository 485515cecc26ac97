package hardware

import (
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Kind is a sort of hardware, in words.
type Kind string

// The kinds, in the order in which they are shown.
const (
	Arrays      Kind = "RAID arrays"
	Disks       Kind = "disks"
	FileSystems Kind = "file systems"
	Memory      Kind = "memory"
	Processors  Kind = "processors"
	Sensors     Kind = "sensors"
	Power       Kind = "power supplies"
	Links       Kind = "links"
)

// Kinds are all of them.
var Kinds = []Kind{Arrays, Disks, FileSystems, Memory, Processors, Sensors, Power, Links}

// Levels of faults, as event sinks know them.
const (
	Warning  = "warning"  // redundancy is lost, or it is on its way to fail
	Error    = "error"    // it has failed
	Critical = "critical" // data or the machine are in danger
)

// Part is a piece of hardware that is watched.
type Part struct {
	ID   string // the same at each look
	Kind Kind
	Name string // for people
	Well bool   // it is seen to work, not only not to have failed
	Boot bool   // its ID may mean another piece after a restart of the machine
}

// Fault is something about a part that is not as it should be.
type Fault struct {
	ID       string // the same at each look
	Part     string // ID of the part
	Kind     Kind
	Name     string // of the part
	What     string // in a few words; the same for as long as the fault lasts
	Level    string
	Evidence string        // what was read
	After    time.Duration // for how long it must last to be told
	Lost     bool          // it is a fault only where the part was seen to work before
}

// Count is a counter of errors.
type Count struct {
	Fault         // what it is when the counter grows
	Value  uint64 // since the machine was started, or its driver
	Limit  uint64 // growth that makes the fault
	Within time.Duration
}

// Reading is what one look at the machine found.
type Reading struct {
	Parts  []Part
	Faults []Fault
	Counts []Count
}

// Bounds of a reading: a tree may hold anything.
const (
	maxParts  = 2048
	maxFaults = 512
)

func (r *Reading) part(p Part) {
	if len(r.Parts) < maxParts {
		r.Parts = append(r.Parts, p)
	}
}

// fault adds a fault of a part.
func (r *Reading) fault(p Part, id, level, what, evidence string, after time.Duration, lost bool) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, Fault{ID: p.ID + "/" + id, Part: p.ID, Kind: p.Kind, Name: p.Name, What: what, Level: level, Evidence: evidence, After: after, Lost: lost})
	}
}

// count adds a counter of a part.
func (r *Reading) count(p Part, id, level, what, evidence string, value, limit uint64, within time.Duration) {
	if len(r.Counts) < maxParts {
		r.Counts = append(r.Counts, Count{Fault: Fault{ID: p.ID + "/" + id, Part: p.ID, Kind: p.Kind, Name: p.Name, What: what, Level: level, Evidence: evidence}, Value: value, Limit: limit, Within: within})
	}
}

// Look reads the state of the hardware below root, which has sys and proc in it:
// os.DirFS("/"). What cannot be read is not there.
func Look(root fs.FS) Reading {
	t := tree{root}
	var r Reading
	for _, look := range []func(tree, *Reading){arrays, disks, controllers, fileSystems, memory, machineChecks, sensors, powerSupplies, bonds, ports, iscsi} {
		look(t, &r)
	}
	// An ID counts once, whoever made a tree in which it is twice.
	r.Parts = once(r.Parts, func(p Part) string { return p.ID })
	r.Faults = once(r.Faults, func(f Fault) string { return f.ID })
	r.Counts = once(r.Counts, func(c Count) string { return c.ID })
	return r
}

func once[T any](list []T, id func(T) string) []T {
	slices.SortStableFunc(list, func(a, b T) int { return strings.Compare(id(a), id(b)) })
	return slices.CompactFunc(list, func(a, b T) bool { return id(a) == id(b) })
}
