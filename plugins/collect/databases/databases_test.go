package databases

import (
	"regexp"
	"strings"
	"testing"

	"github.com/latchstring/latchstring/plugins/collect/internal/recorded"
	"github.com/latchstring/latchstring/plugins/collect/internal/sinktest"
	"github.com/latchstring/latchstring/sdk/collect"
	"github.com/latchstring/latchstring/sdk/plugintest"
)

// answers are those of a machine with all three servers. Questions are long:
// the answers go by the names of their items.
func answers() map[string]string {
	out := map[string]string{}
	for _, q := range postgres {
		out[strings.Join(postgresCommand("/run/postgresql", q).Argv, " ")] = "postgres " + q.name
	}
	for _, q := range mysql {
		out[strings.Join(mysqlCommand("mariadb", mysqlSockets[0], q).Argv, " ")] = "mysql " + q.name
	}
	for _, q := range redis {
		out[strings.Join(redisCommand("redis-cli", "", q.words), " ")] = "redis " + q.name
	}
	return out
}

// there is a collector on a machine where those paths and programs are.
func there(names ...string) *Collector {
	has := func(name string) bool {
		for _, n := range names {
			if n == name {
				return true
			}
		}
		return false
	}
	return &Collector{exists: has, installed: has}
}

func TestConformance(t *testing.T) {
	plugintest.Collector(t, func() collect.Collector {
		return there("/run/postgresql/.s.PGSQL.5432", mysqlSockets[0], "mariadb", redisSockets[0], "redis-cli")
	},
		plugintest.Options{Commands: answers()})
}

const listening = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   106        0 12345 1
`

func TestServer(t *testing.T) {
	c := there("/run/postgresql/.s.PGSQL.5432", mysqlSockets[0], "mariadb", "redis-cli")
	s := recorded.New(t, answers(), recorded.Lay(t, map[string]string{"/proc/1/net/tcp": listening}), c.Needs())
	if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
		t.Fatal(err)
	}
	if len(s.Items) != len(postgres)+len(mysql)+len(redis) {
		t.Errorf("%d items", len(s.Items))
	}
	for name, g := range s.Items {
		if g.Text == "" || g.Failed != "" {
			t.Errorf("%s: %+v", name, g)
		}
	}
	if !s.Find("postgresql/settings.csv").Config || !s.Find("mysql/variables.txt").Config {
		t.Error("settings are configuration")
	}
}

func TestMachineWithoutServers(t *testing.T) {
	for _, c := range []*Collector{there(), there(mysqlSockets[0], redisSockets[1])} {
		s := recorded.New(t, nil, recorded.Lay(t, map[string]string{"/proc/1/net/tcp": strings.Replace(listening, " 0A ", " 01 ", 1)}), c.Needs())
		if err := c.Collect(t.Context(), collect.Request{}, s); err != nil {
			t.Fatal(err)
		}
		if len(s.Items) != 3 {
			t.Errorf("%d items", len(s.Items))
		}
		for name, g := range s.Items {
			if g.Absent == "" {
				t.Errorf("%s: %+v", name, g)
			}
		}
	}
}

// Settings and state are asked for. No question changes anything or asks
// for rows of tables, texts of statements, keys or values.
func TestQuestionsAreHarmless(t *testing.T) {
	verb := regexp.MustCompile(`(?i)\b(insert|update|delete|drop|alter|create|grant|set|copy|call|truncate|vacuum|pg_read_file|load_file|outfile)\b`)
	contents := regexp.MustCompile(`(?i)\b(query|info|trx_query|rolpassword|pg_authid|pg_shadow|authentication_string|pg_stat_statements|digest_text|subconninfo|conninfo)\b`)
	known := regexp.MustCompile(`(?i)\bfrom (\w+(\.\w+)?)`)
	for _, q := range append(append([]query{}, postgres...), mysql...) {
		sql := strings.ReplaceAll(q.sql, "'(set)'", "")
		if strings.Contains(sql, ";") || verb.MatchString(sql) || contents.MatchString(sql) || !strings.HasPrefix(sql, "SELECT ") && !strings.HasPrefix(sql, "SHOW ") {
			t.Errorf("%s: %s", q.name, q.sql)
		}
		for _, m := range known.FindAllStringSubmatch(sql, -1) {
			if !strings.HasPrefix(m[1], "pg_") && !strings.HasPrefix(m[1], "information_schema.") {
				t.Errorf("%s reads %s", q.name, m[1])
			}
		}
	}
	n := New().Needs()
	for _, bad := range [][]string{
		{"psql", "--command=DROP DATABASE x"}, {"setpriv", "--reuid=postgres", "id"}, {"redis-cli", "--no-raw", "CONFIG", "GET", "*"},
		{"redis-cli", "--no-raw", "FLUSHALL"}, {"redis-cli", "--no-raw", "KEYS", "*"}, {"mysql", "--execute=SELECT 1"},
	} {
		if n.Command(bad) {
			t.Errorf("%q is declared", bad)
		}
	}
}

func TestThisMachine(t *testing.T) {
	s := sinktest.ThisMachine(t, New())
	if len(s.Items) < 3 {
		t.Errorf("%d items", len(s.Items))
	}
}
