// Package databases collects the settings and the state of PostgreSQL, MySQL or
// MariaDB, and Redis or Valkey on this machine, through their local sockets.
//
// Never contents: no row of a table, no key or value, and no text of a
// statement, since statements hold what they write. Every question is fixed;
// what is declared is the whole question, so policy and whoever reads it sees
// that. Settings that are passwords are left out where a question can leave
// them out. A server that is not there, or lets root in only with a password,
// is told as absent or by the exit code of its client.
package databases
