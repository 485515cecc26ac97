package findings

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// facts describes the machine from system/summary.json.
func facts(l *looker) {
	data, ok := l.small("system/summary.json")
	if !ok {
		return
	}
	var s struct {
		OS, Kernel, Arch string
		Time             time.Time
		Boot             time.Time `json:"boot_time"`
		CPUs             int
		Model            string `json:"cpu_model"`
		Memory           int64  `json:"memory_bytes"`
		Available        int64  `json:"memory_available_bytes"`
		Load             []float64
	}
	if json.Unmarshal(data, &s) != nil {
		return
	}
	add := func(name, value string) {
		if value != "" {
			l.r.Facts = append(l.r.Facts, Fact{name, clean(value)})
		}
	}
	add("system", s.OS)
	add("kernel", strings.TrimSpace(s.Kernel+" "+s.Arch))
	if s.CPUs > 0 {
		add("processors", strings.TrimSpace(fmt.Sprintf("%d %s", s.CPUs, s.Model)))
	}
	if s.Memory > 0 {
		add("memory", fmt.Sprintf("%.1f GiB, %.1f GiB available", gib(s.Memory), gib(s.Available)))
	}
	if !s.Boot.IsZero() && s.Time.After(s.Boot) {
		add("up", s.Time.Sub(s.Boot).Round(time.Minute).String()+" since "+s.Boot.UTC().Format(time.RFC3339))
	}
	if len(s.Load) == 3 {
		add("load", fmt.Sprintf("%.2f %.2f %.2f", s.Load[0], s.Load[1], s.Load[2]))
		if s.CPUs > 0 && s.Load[1] > 4*float64(s.CPUs) {
			l.found(Warning, "load", "system/summary.json", 0, fmt.Sprintf("load of %.1f over five minutes on %d processors", s.Load[1], s.CPUs))
		}
	}
}

func gib(n int64) float64 { return float64(n) / (1 << 30) }

// memory reads meminfo.
func memory(l *looker) bool {
	const file = "system/memory/meminfo"
	kib := map[string]int64{}
	if !l.lines(file, func(_ int, line string) {
		name, rest, ok := strings.Cut(line, ":")
		if f := strings.Fields(rest); ok && len(f) > 0 {
			kib[name], _ = strconv.ParseInt(f[0], 10, 64)
		}
	}) {
		return false
	}
	if total := kib["MemTotal"]; total > 0 {
		if share := 100 * kib["MemAvailable"] / total; share < 5 {
			l.found(Critical, "memory", file, 0, fmt.Sprintf("%d %% of the memory is available (%.1f of %.1f GiB)", share, gib(kib["MemAvailable"]<<10), gib(total<<10)))
		} else if share < 10 {
			l.found(Warning, "memory", file, 0, fmt.Sprintf("%d %% of the memory is available", share))
		}
	}
	if total := kib["SwapTotal"]; total > 0 && kib["SwapFree"]*10 < total {
		l.found(Warning, "memory", file, 0, "more than 90 % of the swap space is in use")
	}
	return true
}

// pressure reads how much time tasks wait (PSI).
func pressure(l *looker) bool {
	any := false
	for _, kind := range []string{"cpu", "io", "memory"} {
		file, ok := l.first("system/pressure/"+kind, "kernel/pressure/"+kind)
		if !ok {
			continue
		}
		any = true
		l.lines(file, func(n int, line string) {
			f := strings.Fields(line)
			if len(f) < 4 || f[0] != "full" && kind != "cpu" || f[0] != "some" && kind == "cpu" {
				return
			}
			value, err := strconv.ParseFloat(strings.TrimPrefix(f[3], "avg300="), 64)
			limit := map[string]float64{"cpu": 60, "io": 30, "memory": 10}[kind]
			if err == nil && value > limit {
				l.found(Warning, "pressure", file, n, fmt.Sprintf("tasks waited for %s %.0f %% of the last five minutes", kind, value), line)
			}
		})
	}
	return any
}

// taints reads why the kernel calls itself tainted. Proprietary and unsigned
// modules are everywhere and no news.
func taints(l *looker) bool {
	const file = "kernel/taints.json"
	data, ok := l.small(file)
	if !ok {
		return false
	}
	var t struct {
		Value   int64
		Reasons []json.RawMessage
	}
	if json.Unmarshal(data, &t) != nil {
		return false
	}
	const died, warned, machineCheck, softLockup = 1 << 7, 1 << 9, 1 << 4, 1 << 14
	for _, b := range []struct {
		bit  int64
		s    Severity
		text string
	}{
		{machineCheck, Critical, "the processor reported a machine check (hardware error)"},
		{died, Critical, "the kernel has had an oops since it was started"},
		{softLockup, Critical, "a processor was locked up"},
		{warned, Notice, "the kernel has warned about itself"},
	} {
		if t.Value&b.bit != 0 {
			l.found(b.s, "kernel", file, 0, b.text)
		}
	}
	return true
}

// vulnerabilities reads what the kernel says about the processor's.
func vulnerabilities(l *looker) bool {
	const file = "kernel/security/vulnerabilities.txt"
	var open []string
	if !l.lines(file, func(_ int, line string) {
		if strings.Contains(line, "Vulnerable") && !strings.Contains(line, "Not affected") {
			open = append(open, line)
		}
	}) {
		return false
	}
	if len(open) > 0 {
		l.found(Notice, "vulnerabilities", file, 0, fmt.Sprintf("%d weaknesses of the processor are not mitigated", len(open)), open...)
	}
	return true
}

// reboots reads how often the machine was started lately.
func reboots(l *looker) bool {
	const file = "services/systemd/boots.txt"
	recent, now := 0, l.r.Made
	if !l.lines(file, func(_ int, line string) {
		for _, word := range strings.Fields(line) {
			if day, err := time.Parse(time.DateOnly, word); err == nil {
				if age := now.Sub(day); age >= 0 && age < 7*24*time.Hour {
					recent++
				}
				return // the first date of the line is the boot's
			}
		}
	}) {
		return false
	}
	if recent > 3 {
		l.found(Warning, "reboots", file, 0, fmt.Sprintf("the machine was started %d times within a week", recent))
	}
	return true
}
