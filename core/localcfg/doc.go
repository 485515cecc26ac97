// Package localcfg reads local.cfg, the configuration file of the machine.
//
// The file has the form of shell assignments, so that scripts can source it:
//
//	# comment
//	REMOTE_SUPPORT_ENABLE="yes"
//	export REMOTE_SUPPORT_RSS='rss.vendor.example:443'
//
// It is read, never run: a value is what stands between the quotes. Whatever a
// shell would compute (variables, commands, arrays) is a mistake, as is a key
// that is given twice, because two readers could then disagree about what it
// means. [Load] reports all mistakes at once, with file, line and column.
//
// Nothing in the file is in force before `remote-support build-config` has
// checked it and written the effective configuration (package buildconfig).
package localcfg
