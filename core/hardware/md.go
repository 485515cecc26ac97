package hardware

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func sorted(s []string) []string { slices.Sort(s); return s }

const (
	day = 24 * time.Hour

	// The kernel evicts a member after 20 read errors in an hour by itself
	// (max_read_errors of md(4)).
	readErrors = 10
)

// arrays reads software RAID (Documentation/admin-guide/md.rst of the kernel).
func arrays(t tree, r *Reading) {
	for _, name := range t.names("sys/block") {
		if !strings.HasPrefix(name, "md") {
			continue
		}
		dir := "sys/block/" + name + "/md"
		state := t.attr(dir, "array_state")
		// A container of external metadata is no array, and always inactive.
		if state == "" || state == "inactive" || state == "clear" {
			continue
		}
		p := Part{ID: "md/" + name, Kind: Arrays, Name: "array " + name}
		if level := t.attr(dir, "level"); level != "" {
			p.Name += " (" + clean(level) + ")"
		}
		r.part(p)
		var failed []string
		for _, d := range t.names(dir) {
			member, ok := strings.CutPrefix(d, "dev-")
			if !ok {
				continue
			}
			words := strings.Split(t.attr(dir, d, "state"), ",")
			if slices.Contains(words, "faulty") {
				failed = append(failed, member)
				r.fault(p, "member/"+member, Error, "its member "+member+" has failed", d+"/state: "+clean(strings.Join(words, " ")), 0, false)
			} else if n, ok := t.counter(dir, d, "errors"); ok {
				r.count(p, "errors/"+member, Warning, "its member "+member+" has read errors", fmt.Sprintf("%s/errors: %d", d, n), n, readErrors, day)
			}
		}
		if state == "broken" {
			r.fault(p, "broken", Critical, "it has lost more members than it can bear", "array_state: broken", 0, false)
		}
		missing, _ := t.number(dir, "degraded")
		if missing <= 0 {
			continue
		}
		evidence := fmt.Sprintf("degraded: %d", missing)
		if disks, ok := t.number(dir, "raid_disks"); ok {
			evidence += fmt.Sprintf(" of %d members", disks)
		}
		if len(failed) > 0 {
			evidence += ", failed: " + strings.Join(failed[:min(len(failed), 16)], " ")
		}
		if action := t.attr(dir, "sync_action"); action != "" && action != "idle" {
			evidence += ", sync_action: " + clean(action)
		}
		r.fault(p, "degraded", Error, "it lacks a member", evidence, 0, false)
	}
}
