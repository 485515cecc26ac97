package kernel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

// taintBits are the reasons for which a kernel counts as tainted, by bit
// (Documentation/admin-guide/tainted-kernels of Linux), with their letters.
var taintBits = []struct {
	letter string
	why    string
}{
	{"P", "a proprietary module was loaded"},
	{"F", "a module was loaded by force"},
	{"S", "the kernel runs on a system out of its specification"},
	{"R", "a module was unloaded by force"},
	{"M", "the processor reported a machine check"},
	{"B", "a bad page was found"},
	{"U", "a program asked for it"},
	{"D", "the kernel died before: there was an oops or a BUG"},
	{"A", "an ACPI table was replaced"},
	{"W", "the kernel issued a warning"},
	{"C", "a staging driver was loaded"},
	{"I", "a fault of the firmware is worked around"},
	{"O", "a module from outside the kernel's tree was loaded"},
	{"E", "an unsigned module was loaded"},
	{"L", "a soft lockup occurred"},
	{"K", "the kernel was patched live"},
	{"X", "the distribution's own reason"},
	{"T", "the kernel was built with randomized structures"},
	{"N", "a test was run in the kernel"},
	{"J", "a mutating debug operation of firmware control was used"},
}

// taints is what taints.json holds.
type taints struct {
	Value   uint64        `json:"value"`
	Reasons []taintReason `json:"reasons"`
}

type taintReason struct {
	Bit     int      `json:"bit"`
	Letter  string   `json:"letter,omitempty"`
	Reason  string   `json:"reason"`
	Modules []string `json:"modules,omitempty"` // that are loaded and brought it
}

// taintsOf reads the kernel's taints and whose they are.
func taintsOf(o recipe.Opener) ([]byte, error) {
	text, err := recipe.Read(o, "/proc/sys/kernel/tainted", 64)
	if err != nil {
		return nil, err
	}
	value, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read the kernel's taints: %w", err)
	}
	mods, err := modules(o)
	if err != nil {
		mods = nil // a kernel without modules
	}
	data, err := json.MarshalIndent(explain(value, mods), "", "  ")
	return append(data, '\n'), err
}

func explain(value uint64, mods []module) taints {
	out := taints{Value: value, Reasons: []taintReason{}}
	for bit := range 64 {
		if value&(1<<bit) == 0 {
			continue
		}
		r := taintReason{Bit: bit, Reason: "a reason that this program does not know"}
		if bit < len(taintBits) {
			r.Letter, r.Reason = taintBits[bit].letter, taintBits[bit].why
			for _, m := range mods {
				if strings.Contains(m.taint, r.Letter) {
					r.Modules = append(r.Modules, m.name)
				}
			}
		}
		out.Reasons = append(out.Reasons, r)
	}
	return out
}

// module is a line of /proc/modules.
type module struct {
	name, size, state, taint string
	users                    []string
}

// maxModules bounds /proc/modules.
const maxModules = 1 << 20

func modules(o recipe.Opener) ([]module, error) {
	text, err := recipe.Read(o, "/proc/modules", maxModules)
	if err != nil {
		return nil, err
	}
	return parseModules(text), nil
}

// parseModules reads lines such as
//
//	zfs 3145728 3 spl,other, Live 0xffffffffc0a00000 (POE)
func parseModules(text string) []module {
	var out []module
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		m := module{name: f[0], size: f[1], state: f[4]}
		for _, u := range strings.Split(f[3], ",") {
			if u != "" && u != "-" {
				m.users = append(m.users, u)
			}
		}
		if last := f[len(f)-1]; strings.HasPrefix(last, "(") {
			m.taint = strings.Trim(last, "()+-")
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b module) int { return strings.Compare(a.name, b.name) })
	return out
}

// modulesText lists the modules that do not come with the kernel first.
func modulesText(mods []module) []byte {
	var buf bytes.Buffer
	foreign := 0
	for _, m := range mods {
		if m.taint != "" {
			foreign++
		}
	}
	fmt.Fprintf(&buf, "%d modules, %d of them taint the kernel\n\n", len(mods), foreign)
	w := tabwriter.NewWriter(&buf, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "MODULE\tBYTES\tSTATE\tTAINTS\tUSED BY")
	for _, tainting := range []bool{true, false} {
		for _, m := range mods {
			if (m.taint != "") == tainting {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", m.name, m.size, m.state, m.taint, strings.Join(m.users, ","))
			}
		}
	}
	w.Flush() // into a buffer: it cannot fail
	return buf.Bytes()
}
