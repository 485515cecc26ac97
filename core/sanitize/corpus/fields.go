package corpus

import (
	"strconv"
	"time"
)

func (g *Generator) people() {
	roles := []string{"web", "db", "app", "cache", "node", "ctl", "fs", "mq", "build", "mon", "gw", "ibox"}
	sites := []string{"fra1", "iad2", "tlv1", "sjc3", "local"}
	for _, role := range roles {
		for i := range 12 {
			h := role + "-" + strconv.Itoa(i+1)
			if i%3 == 0 {
				h += "." + sites[g.r.IntN(len(sites))] + ".corp.example.net"
			}
			g.hosts = append(g.hosts, h)
		}
	}
	first := []string{"anna", "ben", "chloe", "david", "elif", "farid", "gita", "hugo", "ines", "jonas", "kofi", "lena", "mika", "noor", "omar", "petra", "quinn", "ravi", "sara", "tom"}
	for i, f := range first {
		g.users = append(g.users, f, f[:1]+"."+first[(i*7+3)%len(first)])
	}
	g.users = append(g.users, "root", "postgres", "www-data", "deploy", "backup", "oracle", "svc_monitor")
	for range 64 {
		net := [3]byte{10, byte(g.r.IntN(256)), byte(g.r.IntN(256))}
		switch g.r.IntN(6) {
		case 0:
			net[0], net[1] = 192, 168
		case 1:
			net[0], net[1] = 172, byte(16+g.r.IntN(16))
		case 2:
			net[0] = byte(20 + g.r.IntN(80))
		}
		g.subnets = append(g.subnets, net)
	}
}

// The add functions append to the line that is being made.

func (g *Generator) add(parts ...string) *Generator {
	for _, p := range parts {
		g.buf = append(g.buf, p...)
	}
	return g
}

func (g *Generator) num(n int) *Generator {
	g.buf = strconv.AppendInt(g.buf, int64(n), 10)
	return g
}

// upto adds a number below n.
func (g *Generator) upto(n int) *Generator { return g.num(g.r.IntN(n)) }

// pad adds a number with leading zeros.
func (g *Generator) pad(n, width int) *Generator {
	s := strconv.Itoa(n)
	for i := len(s); i < width; i++ {
		g.buf = append(g.buf, '0')
	}
	return g.add(s)
}

func (g *Generator) pick(from ...string) *Generator { return g.add(from[g.r.IntN(len(from))]) }

func (g *Generator) host() *Generator { return g.add(g.hosts[g.r.IntN(len(g.hosts))]) }
func (g *Generator) user() *Generator { return g.add(g.users[g.r.IntN(len(g.users))]) }

func (g *Generator) ip() *Generator {
	n := g.subnets[g.r.IntN(len(g.subnets))]
	for _, b := range n {
		g.num(int(b)).add(".")
	}
	return g.num(1 + g.r.IntN(254))
}

func (g *Generator) mac() *Generator {
	g.add("52:54:00")
	for range 3 {
		g.add(":")
		g.chars("0123456789abcdef", 2)
	}
	return g
}

func (g *Generator) uuid() *Generator {
	for i, n := range []int{8, 4, 4, 4, 12} {
		if i > 0 {
			g.add("-")
		}
		g.chars("0123456789abcdef", n)
	}
	return g
}

func (g *Generator) chars(set string, n int) *Generator {
	for range n {
		g.buf = append(g.buf, set[g.r.IntN(len(set))])
	}
	return g
}

func (g *Generator) hex(n int) *Generator { return g.chars("0123456789abcdef", n) }

// tick lets time pass.
func (g *Generator) tick() {
	g.now = g.now.Add(time.Duration(g.r.IntN(900)) * time.Millisecond)
}

func (g *Generator) time(layout string) *Generator {
	g.tick()
	g.buf = g.now.AppendFormat(g.buf, layout)
	return g
}

// syslog begins a line of the classic form.
func (g *Generator) syslog(program string, pid bool) *Generator {
	g.time("Jan _2 15:04:05").add(" ").host().add(" ", program)
	if pid {
		g.add("[").num(300 + g.r.IntN(32000)).add("]")
	}
	return g.add(": ")
}

func (g *Generator) iso() *Generator { return g.time("2006-01-02T15:04:05.000Z") }

func (g *Generator) nl() { g.buf = append(g.buf, '\n') }

// chance is true in n of 100 cases.
func (g *Generator) chance(n int) bool { return g.r.IntN(100) < n }
