package host

import (
	"strconv"
	"strings"

	"github.com/latchstring/latchstring/core/host/catalog"
	"github.com/latchstring/latchstring/core/host/sandbox"
	"github.com/latchstring/latchstring/internal/wire"
	"github.com/latchstring/latchstring/sdk/needs"
)

// networkFiles are what a program needs to find its way: names, certificates.
var networkFiles = []string{
	"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/host.conf", "/etc/gai.conf",
	"/etc/ssl/certs", "/etc/pki", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
}

// everyFiles are harmless and expected by the Go runtime and its packages.
var everyFiles = []string{
	"/dev/zero", "/dev/urandom", "/etc/localtime", "/usr/share/zoneinfo", "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
}

// maxPorts bounds the rules made of port ranges; a wider declaration counts as
// every port.
const maxPorts = 4096

// grant is the sandbox of a role: what it declares to need and no more. Root-only
// files and commands are not in it: the broker serves those.
func grant(r catalog.Role, uid, gid int, require sandbox.Level) sandbox.Spec {
	spec := sandbox.Spec{UID: uid, GID: gid, Require: require}
	spec.Read = append(spec.Read, everyFiles...)
	spec.Read = append(spec.Read, readable(r.Needs)...)
	if len(r.Needs.Ports) > 0 {
		spec.Network = true
		spec.Read = append(spec.Read, networkFiles...)
		spec.Ports, spec.AnyPort = ports(r.Needs)
	}
	spec.Interfaces = r.Role == wire.RoleCollect
	return spec
}

// readable are the declared paths that Landlock can express: single files and
// whole trees. What a pattern with wildcards names goes through the broker.
func readable(l needs.List) []string {
	var out []string
	for _, p := range l.Paths {
		if tree, ok := strings.CutSuffix(p, "/**"); ok && !strings.ContainsAny(tree, `*?[\`) {
			if tree == "" {
				tree = "/"
			}
			out = append(out, tree)
		} else if !strings.ContainsAny(p, `*?[\`) {
			out = append(out, p)
		}
	}
	return out
}

// ports lists the declared ports, and the name server's.
func ports(l needs.List) (list []uint16, any bool) {
	list = append(list, 53)
	for _, p := range l.Ports {
		if p == "*" {
			return nil, true
		}
		from, to, isRange := strings.Cut(p, "-")
		if !isRange {
			to = from
		}
		low, err1 := strconv.ParseUint(from, 10, 16)
		high, err2 := strconv.ParseUint(to, 10, 16)
		if err1 != nil || err2 != nil || low > high {
			continue
		}
		if high-low >= maxPorts-uint64(len(list)) {
			return nil, true
		}
		for v := low; v <= high; v++ {
			list = append(list, uint16(v))
		}
	}
	return list, false
}
