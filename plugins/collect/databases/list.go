package databases

import (
	"time"

	"github.com/latchstring/latchstring/plugins/collect/internal/recipe"
)

const queryTime = 20 * time.Second

// Where servers listen for local clients. Not /tmp: there anybody may listen.
var (
	postgresDirs = []string{"/run/postgresql", "/var/run/postgresql"}
	mysqlSockets = []string{"/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock"}
	redisSockets = []string{"/run/redis/redis-server.sock", "/run/redis/redis.sock", "/run/valkey/valkey.sock", "/run/redis.sock"}
)

// query is a question in SQL and the item that its answer becomes.
type query struct {
	name, sql string
	config    bool
}

// postgres are the questions to PostgreSQL 12 and later. Passwords in settings
// are those of connections to others.
var postgres = []query{
	{"version.csv", "SELECT version(), pg_is_in_recovery() AS in_recovery, pg_postmaster_start_time() AS started, pg_conf_load_time() AS loaded", false},
	{"settings.csv", "SELECT name, CASE WHEN name IN ('primary_conninfo', 'ssl_passphrase_command', 'archive_command', 'restore_command') AND setting <> '' THEN '(set)' ELSE setting END AS setting, unit, source, sourcefile, sourceline, pending_restart FROM pg_settings ORDER BY name", true},
	{"access.csv", "SELECT line_number, type, database, user_name, address, netmask, auth_method, error FROM pg_hba_file_rules ORDER BY line_number", true},
	{"file-errors.csv", "SELECT sourcefile, sourceline, name, applied, error FROM pg_file_settings WHERE error IS NOT NULL OR NOT applied", false},
	{"databases.csv", "SELECT datname, pg_encoding_to_char(encoding) AS encoding, datcollate, datallowconn, datconnlimit, age(datfrozenxid) AS xid_age, pg_database_size(oid) AS bytes FROM pg_database ORDER BY datname", false},
	{"statistics.csv", "SELECT * FROM pg_stat_database ORDER BY datname", false},
	{"activity.csv", "SELECT pid, datname, usename, application_name, backend_type, backend_start, xact_start, query_start, state_change, wait_event_type, wait_event, state, backend_xid, backend_xmin FROM pg_stat_activity ORDER BY xact_start NULLS LAST", false},
	{"locks.csv", "SELECT locktype, database, relation, mode, granted, fastpath, pid, virtualtransaction FROM pg_locks ORDER BY granted, pid LIMIT 5000", false},
	{"blocked.csv", "SELECT pid, pg_blocking_pids(pid) AS blocked_by, now() - query_start AS since FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0", false},
	{"replication.csv", "SELECT pid, usename, application_name, client_addr, state, sent_lsn, write_lsn, flush_lsn, replay_lsn, write_lag, flush_lag, replay_lag, sync_state FROM pg_stat_replication", false},
	{"receiver.csv", "SELECT pid, status, receive_start_lsn, received_tli, last_msg_send_time, last_msg_receipt_time, latest_end_lsn, slot_name, sender_host, sender_port FROM pg_stat_wal_receiver", false},
	{"slots.csv", "SELECT slot_name, plugin, slot_type, database, active, xmin, catalog_xmin, restart_lsn FROM pg_replication_slots", false},
	{"archiver.csv", "SELECT * FROM pg_stat_archiver", false},
	{"writer.csv", "SELECT * FROM pg_stat_bgwriter", false},
	{"roles.csv", "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil FROM pg_roles ORDER BY rolname", false},
	{"extensions.csv", "SELECT name, default_version, installed_version FROM pg_available_extensions WHERE installed_version IS NOT NULL", false},
	{"prepared.csv", "SELECT transaction, prepared, owner, database FROM pg_prepared_xacts", false},
}

// postgresCommand asks as the server's own user, which it lets in by its
// socket. Nothing is read from that user's files, and nobody is asked for a
// password.
func postgresCommand(dir string, q query) recipe.Command {
	return recipe.Command{
		Name: "postgresql/" + q.name, Timeout: queryTime, Config: q.config, Root: true,
		Argv: []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "psql", "--no-psqlrc", "--no-password", "--csv", "--host=" + dir, "--dbname=postgres", "--command=" + q.sql},
	}
}

// mysql are the questions to MySQL and MariaDB.
var mysql = []query{
	{"variables.txt", "SHOW GLOBAL VARIABLES WHERE Variable_name NOT LIKE '%password%' AND Variable_name NOT LIKE 'init\\_%'", true},
	{"status.txt", "SHOW GLOBAL STATUS", false},
	{"replica.txt", "SHOW SLAVE STATUS", false},
	{"binlogs.txt", "SHOW BINARY LOGS", false},
	{"engines.txt", "SHOW ENGINES", false},
	{"plugins.txt", "SHOW PLUGINS", false},
	{"processes.txt", "SELECT ID, USER, HOST, DB, COMMAND, TIME, STATE FROM information_schema.PROCESSLIST ORDER BY TIME DESC", false},
	{"transactions.txt", "SELECT trx_id, trx_state, trx_started, trx_wait_started, trx_mysql_thread_id, trx_rows_locked, trx_rows_modified, trx_isolation_level FROM information_schema.INNODB_TRX ORDER BY trx_started LIMIT 1000", false},
	{"metrics.txt", "SELECT NAME, COUNT, MAX_COUNT, AVG_COUNT FROM information_schema.INNODB_METRICS WHERE COUNT > 0", false},
	{"schemas.txt", "SELECT table_schema, ENGINE, COUNT(*) AS tables, SUM(data_length) AS data_bytes, SUM(index_length) AS index_bytes, SUM(data_free) AS free_bytes FROM information_schema.TABLES GROUP BY table_schema, ENGINE", false},
}

func mysqlCommand(client, socket string, q query) recipe.Command {
	return recipe.Command{
		Name: "mysql/" + q.name, Timeout: queryTime, Config: q.config, Root: true,
		Argv: []string{client, "--no-defaults", "--protocol=socket", "--socket=" + socket, "--user=root", "--connect-timeout=5", "--batch", "--execute=" + q.sql},
	}
}

// mysqlClients and redisClients are the programs by the names that they have.
var (
	mysqlClients = []string{"mysql", "mariadb"}
	redisClients = []string{"redis-cli", "valkey-cli"}
)

// redis are the questions to Redis and Valkey. CONFIG is asked for groups of
// settings, so that no answer holds a password.
var redis = []struct {
	name   string
	words  []string
	config bool
}{
	{"info.txt", []string{"INFO", "all"}, false},
	{"settings-memory.txt", []string{"CONFIG", "GET", "max*"}, true},
	{"settings-append.txt", []string{"CONFIG", "GET", "append*"}, true},
	{"settings-replica.txt", []string{"CONFIG", "GET", "repl-*"}, true},
	{"settings-save.txt", []string{"CONFIG", "GET", "save"}, true},
	{"settings-timeout.txt", []string{"CONFIG", "GET", "timeout"}, true},
	{"size.txt", []string{"DBSIZE"}, false},
	{"memory.txt", []string{"MEMORY", "STATS"}, false},
	{"latency.txt", []string{"LATENCY", "LATEST"}, false},
	{"slow-count.txt", []string{"SLOWLOG", "LEN"}, false},
	{"cluster.txt", []string{"CLUSTER", "INFO"}, false},
	{"modules.txt", []string{"MODULE", "LIST"}, false},
}

// redisCommand asks through a socket, or through the loopback interface when
// the socket is empty.
func redisCommand(client, socket string, words []string) []string {
	argv := []string{client, "--no-raw"}
	if socket != "" {
		argv = append(argv, "-s", socket)
	}
	return append(argv, words...)
}
