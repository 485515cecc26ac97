package family

import (
	"os"
	"slices"
	"sync"
)

// living are the families of this process that have not ended.
var living struct {
	sync.Mutex
	all []*Family
}

func born(f *Family) {
	living.Lock()
	defer living.Unlock()
	living.all = append(living.all, f)
}

func died(f *Family) {
	living.Lock()
	defer living.Unlock()
	living.all = slices.DeleteFunc(living.all, func(x *Family) bool { return x == f })
}

// Of tells of which connection a process is: itself, or one that it descends
// from. While there are connections a process that is gone may have been of any:
// then member is true and the connection is empty. Without connections nobody is a
// member, and nothing is looked up.
func Of(pid int) (connection string, member bool) {
	living.Lock()
	all := slices.Clone(living.all)
	living.Unlock()
	if len(all) == 0 {
		return "", false
	}
	alive := map[int]process{}
	for _, p := range snapshot() {
		alive[p.pid] = p
	}
	if _, there := alive[pid]; !there {
		return "", true
	}
	for range len(alive) { // of a table that was not read in one moment, a loop could come
		p, there := alive[pid]
		if !there || pid == os.Getpid() { // we may bear a mark ourselves: a thread of ours does
			break
		}
		for _, f := range all {
			if f.has(p) {
				return f.connection, true
			}
		}
		pid = p.parent
	}
	return "", false
}

// has reports whether a process bears a mark of the family itself.
func (f *Family) has(p process) bool {
	session, connection, locale := p.variables()
	f.mu.Lock()
	adopted := slices.ContainsFunc(f.adopted, p.same)
	f.mu.Unlock()
	return adopted || f.mark.on(p) || slices.Contains(f.group.members(), p.pid) ||
		session == f.session && connection == f.connection || locale == f.session+"/"+f.connection
}
