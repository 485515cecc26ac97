// Package pluginv1 is the protocol as it was first generated. It is frozen.
package pluginv1
