package system

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// facts are what summary.json holds. A fact that this machine does not have is
// left out.
type facts struct {
	Host      string            `json:"host"`
	OS        string            `json:"os,omitempty"`
	Kernel    string            `json:"kernel"`
	Arch      string            `json:"arch"`
	Time      time.Time         `json:"time"`
	BootTime  *time.Time        `json:"boot_time,omitempty"`
	CPUs      int               `json:"cpus"`
	CPUModel  string            `json:"cpu_model,omitempty"`
	MemTotal  uint64            `json:"memory_bytes,omitempty"`
	MemFree   uint64            `json:"memory_available_bytes,omitempty"`
	SwapTotal uint64            `json:"swap_bytes,omitempty"`
	SwapFree  uint64            `json:"swap_free_bytes,omitempty"`
	Load      []float64         `json:"load,omitempty"`
	Pressure  map[string]psi    `json:"pressure,omitempty"`
	Hardware  map[string]string `json:"hardware,omitempty"`
	Processes int               `json:"processes,omitempty"`
}

// psi is the share of the last ten seconds and five minutes in percent in
// which some, or all, tasks waited.
type psi struct {
	Some10  float64 `json:"some_10s"`
	Some300 float64 `json:"some_300s"`
	Full10  float64 `json:"full_10s"`
	Full300 float64 `json:"full_300s"`
}

func summary() ([]byte, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return nil, fmt.Errorf("uname: %w", err)
	}
	f := facts{
		Host: unix.ByteSliceToString(u.Nodename[:]), Kernel: unix.ByteSliceToString(u.Release[:]), Arch: unix.ByteSliceToString(u.Machine[:]),
		Time: time.Now().UTC().Truncate(time.Second), CPUs: runtime.NumCPU(), OS: osName(), Hardware: hardware(),
	}
	if p, err := procfs.NewDefaultFS(); err == nil {
		fromProc(p, &f)
	}
	data, err := json.MarshalIndent(f, "", "  ")
	return append(data, '\n'), err
}

func fromProc(p procfs.FS, f *facts) {
	if st, err := p.Stat(); err == nil {
		t := time.Unix(int64(st.BootTime), 0).UTC()
		f.BootTime = &t
	}
	if cpus, err := p.CPUInfo(); err == nil && len(cpus) > 0 {
		f.CPUModel = cpus[0].ModelName
	}
	if m, err := p.Meminfo(); err == nil {
		f.MemTotal, f.MemFree = kB(m.MemTotal), kB(m.MemAvailable)
		f.SwapTotal, f.SwapFree = kB(m.SwapTotal), kB(m.SwapFree)
	}
	if l, err := p.LoadAvg(); err == nil {
		f.Load = []float64{l.Load1, l.Load5, l.Load15}
	}
	for _, r := range []string{"cpu", "io", "memory"} {
		s, err := p.PSIStatsForResource(r)
		if err != nil || s.Some == nil {
			continue
		}
		v := psi{Some10: s.Some.Avg10, Some300: s.Some.Avg300}
		if s.Full != nil {
			v.Full10, v.Full300 = s.Full.Avg10, s.Full.Avg300
		}
		if f.Pressure == nil {
			f.Pressure = map[string]psi{}
		}
		f.Pressure[r] = v
	}
	if ps, err := p.AllProcs(); err == nil {
		f.Processes = len(ps)
	}
}

func kB(n *uint64) uint64 {
	if n == nil {
		return 0
	}
	return *n << 10
}

// osName is PRETTY_NAME of os-release(5).
func osName() string {
	data, err := os.ReadFile("/usr/lib/os-release")
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(data), "\n") {
		if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return ""
}

// hardware is what the firmware says about the machine. Serial numbers are
// for root only, and for the hardware collector.
func hardware() map[string]string {
	out := map[string]string{}
	for _, name := range []string{"sys_vendor", "product_name", "product_version", "board_name", "bios_vendor", "bios_version", "bios_date", "chassis_type"} {
		if data, err := os.ReadFile(filepath.Join("/sys/class/dmi/id", name)); err == nil {
			if v := strings.TrimSpace(string(data)); v != "" {
				out[name] = v
			}
		}
	}
	return out
}
