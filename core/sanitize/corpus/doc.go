// Package corpus makes realistic logs and configurations to measure on.
//
// A [Generator] writes text of any length from templates of two dozen kinds of
// files that a support bundle holds: daemons, kernels, web servers, databases,
// Java stack traces, container platforms, storage arrays, command output,
// configuration. The same seed gives the same bytes on every machine. About a
// fifth of the lines hold an IPv4 address, as in real logs, and secrets of
// many kinds are strewn in at a low density; their list is the truth against
// which a sanitizer can be judged.
//
//	go run ./bench/corpus -mb 100 -o corpus.txt -truth truth.jsonl
package corpus
