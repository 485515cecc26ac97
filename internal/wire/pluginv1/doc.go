// Package pluginv1 is generated from plugin.proto: the messages and services
// of the control path between a plugin host and a plugin, protocol version 1.
// Package wire speaks it; nobody else should need to.
package pluginv1
