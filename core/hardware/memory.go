package hardware

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// fastErrors corrected ones within an hour are more than cosmic rays make: a
// module that is about to fail.
const fastErrors = 100

// memory reads the counters of memory errors (Documentation/driver-api/edac.rst):
// for each module where the driver knows it, and what has none for the controller.
func memory(t tree, r *Reading) {
	const dir = "sys/devices/system/edac/mc"
	for _, mc := range t.names(dir) {
		if !numbered(mc, "mc") {
			continue
		}
		modules := 0
		for _, d := range t.names(dir, mc) {
			if !numbered(d, "dimm") && !numbered(d, "rank") {
				continue
			}
			corrected, ok := t.counter(dir, mc, d, "dimm_ce_count")
			lost, ok2 := t.counter(dir, mc, d, "dimm_ue_count")
			if !ok && !ok2 {
				continue
			}
			modules++
			p := Part{ID: "edac/" + mc + "/" + d, Kind: Memory, Name: "memory " + mc + " " + d}
			if label := clean(t.attr(dir, mc, d, "dimm_label")); label != "" && label != "any memory" && label != "unknown memory" {
				p.Name = "memory " + label
			}
			memoryErrors(r, p, corrected, lost, "dimm_")
		}
		p := Part{ID: "edac/" + mc, Kind: Memory, Name: "memory controller " + mc}
		names := []string{"ce_count", "ue_count"}
		if modules > 0 {
			names = []string{"ce_noinfo_count", "ue_noinfo_count"}
		}
		corrected, ok := t.counter(dir, mc, names[0])
		lost, ok2 := t.counter(dir, mc, names[1])
		if ok || ok2 {
			memoryErrors(r, p, corrected, lost, "")
		}
	}
}

func memoryErrors(r *Reading, p Part, corrected, lost uint64, prefix string) {
	r.part(p)
	r.count(p, "ue", Critical, "it has errors that could not be corrected", fmt.Sprintf("%sue_count: %d", prefix, lost), lost, 1, day)
	r.count(p, "ce", Warning, "its errors, which are still corrected, come fast", fmt.Sprintf("%sce_count: %d", prefix, corrected), corrected, fastErrors, time.Hour)
}

func numbered(name, prefix string) bool {
	digits, ok := strings.CutPrefix(name, prefix)
	_, err := strconv.ParseUint(digits, 10, 16)
	return ok && err == nil
}

// machineChecks reads how often a processor has raised a machine check
// exception: the row MCE of /proc/interrupts, which only x86 has.
func machineChecks(t tree, r *Reading) {
	n, ok := exceptions(t.read(maxProc, "proc/interrupts"))
	if !ok {
		return
	}
	p := Part{ID: "mce", Kind: Processors, Name: "processors"}
	r.part(p)
	r.count(p, "mce", Critical, "a processor has raised machine checks", fmt.Sprintf("machine check exceptions: %d", n), n, 1, day)
}

func exceptions(interrupts string) (sum uint64, ok bool) {
	for line := range strings.Lines(interrupts) {
		rest, found := strings.CutPrefix(strings.TrimSpace(line), "MCE:")
		if !found {
			continue
		}
		for _, f := range strings.Fields(rest) {
			n, err := strconv.ParseUint(f, 10, 64)
			if err != nil {
				return sum, true // the description follows
			}
			if sum += n; sum < n {
				return 0, false
			}
		}
		return sum, true
	}
	return 0, false
}
