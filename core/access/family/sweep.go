package family

import (
	"os"
	"strings"
	"time"
)

// Sweep ends what an agent that died left behind of a session. It returns how
// many processes there were, and those that could not be ended.
func Sweep(session string) (ended int, left []int) {
	if session == "" { // which every process is of
		return 0, nil
	}
	type answer struct {
		ended int
		left  []int
	}
	c := make(chan answer)
	onThread(func() { // looking into namespaces moves it into them
		ended, left := sweep(session)
		c <- answer{ended, left}
	})
	a := <-c
	return a.ended, a.left
}

func sweep(session string) (ended int, left []int) {
	groups := leftGroups(session)
	own := process{pid: os.Getpid()}
	ownDev, ownIno, _ := own.namespace()
	namespaces := map[[2]uint64]bool{{ownDev, ownIno}: false}
	seen := map[int]bool{}
	members := func() []process {
		in := map[int]bool{}
		for _, g := range groups {
			for _, pid := range g.members() {
				in[pid] = true
			}
		}
		all := snapshot()
		for _, p := range all {
			if p.pid == os.Getpid() {
				continue
			}
			if dev, ino, ok := p.namespace(); ok {
				id := [2]uint64{dev, ino}
				ours, known := namespaces[id]
				if !known {
					ours = strings.HasPrefix(domainOf(p), domainPrefix+session+"/")
					namespaces[id] = ours
				}
				if ours {
					in[p.pid] = true
				}
			}
			if os.Geteuid() != 0 && p.inherited(func(name string) bool { return strings.HasPrefix(name, "/memfd:latchstring:"+session+":") }) {
				in[p.pid] = true
			}
			if s, _, locale := p.variables(); s == session || strings.HasPrefix(locale, session+"/") {
				in[p.pid] = true
			}
		}
		found := withDescendants(in, all)
		for _, p := range found {
			seen[p.pid] = true
		}
		return found
	}
	left = end(members, func() {
		for _, g := range groups {
			g.kill()
		}
	}, 500*time.Millisecond)
	for _, g := range groups {
		g.close()
	}
	return len(seen) - len(left), left
}
