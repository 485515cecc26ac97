package databases

import (
	"context"
	"path"
	"strings"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/needs"
)

// Name is the collector's folder in the bundle.
const Name = "databases"

// Collector is the collector.
type Collector struct {
	exists    func(path string) bool
	installed func(program string) bool
}

// New makes the collector.
func New() *Collector { return &Collector{exists: recipe.Exists, installed: recipe.Installed} }

// listeners tell which ports are listened to.
var listeners = []string{"/proc/1/net/tcp", "/proc/1/net/tcp6"}

// Needs declares what is read and run: every question, word by word.
func (c *Collector) Needs() needs.List {
	out := needs.List{Paths: listeners}
	for _, dir := range postgresDirs {
		for _, q := range postgres {
			out.Commands = append(out.Commands, postgresCommand(dir, q).Argv)
		}
	}
	for _, client := range mysqlClients {
		for _, socket := range mysqlSockets {
			for _, q := range mysql {
				out.Commands = append(out.Commands, mysqlCommand(client, socket, q).Argv)
			}
		}
	}
	for _, client := range redisClients {
		for _, socket := range append([]string{""}, redisSockets...) {
			for _, q := range redis {
				out.Commands = append(out.Commands, redisCommand(client, socket, q.words))
			}
		}
	}
	return out
}

// Plan lists the items that this machine has.
func (c *Collector) Plan(context.Context, collect.Request) ([]collect.Planned, error) {
	commands, _ := c.commands(nil)
	return recipe.List{Commands: commands}.Plan(), nil
}

// Collect hands over everything.
func (c *Collector) Collect(ctx context.Context, _ collect.Request, sink collect.Sink) error {
	commands, missing := c.commands(sink)
	for _, m := range missing {
		if err := sink.Absent(collect.Item{Name: m.name, Source: m.source}, m.why); err != nil {
			return err
		}
	}
	return recipe.List{Commands: commands}.Collect(ctx, sink)
}

type missing struct{ name, source, why string }

// commands are the questions to the servers that are there. Without an opener
// ports are not looked at.
func (c *Collector) commands(o recipe.Opener) (out []recipe.Command, none []missing) {
	if dir := c.postgresDir(); dir == "" {
		none = append(none, missing{"postgresql/version.csv", strings.Join(postgresDirs, ", "), "no PostgreSQL listens here on its usual port"})
	} else {
		for _, q := range postgres {
			out = append(out, postgresCommand(dir, q))
		}
	}
	socket, client := first(mysqlSockets, c.exists), first(mysqlClients, c.installed)
	switch {
	case socket == "":
		none = append(none, missing{"mysql/variables.txt", strings.Join(mysqlSockets, ", "), "no MySQL or MariaDB listens here"})
	case client == "":
		none = append(none, missing{"mysql/variables.txt", socket, "no client for MySQL or MariaDB is installed"})
	default:
		for _, q := range mysql {
			out = append(out, mysqlCommand(client, socket, q))
		}
	}
	socket, client = first(redisSockets, c.exists), first(redisClients, c.installed)
	switch {
	case socket == "" && (o == nil || !listens(o, redisPort)):
		none = append(none, missing{"redis/info.txt", strings.Join(redisSockets, ", "), "no Redis or Valkey listens here"})
	case client == "":
		none = append(none, missing{"redis/info.txt", socket, "no client for Redis or Valkey is installed"})
	default:
		for _, q := range redis {
			out = append(out, recipe.Command{Name: "redis/" + q.name, Argv: redisCommand(client, socket, q.words), Timeout: queryTime, Config: q.config, Root: true})
		}
	}
	return out, none
}

// postgresDir is the folder of the socket on the usual port.
func (c *Collector) postgresDir() string {
	return first(postgresDirs, func(dir string) bool { return c.exists(path.Join(dir, ".s.PGSQL.5432")) })
}

func first(list []string, ok func(string) bool) string {
	for _, v := range list {
		if ok(v) {
			return v
		}
	}
	return ""
}

const redisPort = "18EB" // 6379, as the kernel writes it

// listens reports whether something listens on a port of this machine.
func listens(o recipe.Opener, port string) bool {
	for _, file := range listeners {
		text, err := recipe.Read(o, file, 4<<20)
		if err != nil {
			continue
		}
		for line := range strings.Lines(text) {
			f := strings.Fields(line)
			if len(f) > 3 && strings.HasSuffix(f[1], ":"+port) && f[3] == "0A" { // TCP_LISTEN
				return true
			}
		}
	}
	return false
}
