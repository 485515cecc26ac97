// Plugincheck tests a plugin program against the contract between plugins and
// their host: the suites of package sdk/plugintest, over the real process
// boundary and in the sandbox in which a host would run it.
//
//	plugincheck ./my-plugin                      every role
//	plugincheck ./my-plugin transport/tunnel     one role
//	plugincheck --attach '...'                   one that runs under a debugger
//	plugincheck new transport tunnel             a new plugin that passes
//
// It prints one line a case and exits with 4 when a case fails.
package main
