// Package services collects what runs: systemd's units with what failed and
// why, timers, the tree of control groups with their limits and OOM kills, and
// for each process its open files, limits and the names in its environment.
//
// Of environments only names are taken: values hold more secrets than facts,
// and a name alone answers whether a proxy or a path is set. What a program
// has written over its environment, as servers do to show a title, is no name
// and is left out.
package services
