// Package network collects how the machine is connected: interfaces and their
// drivers, bonds, bridges, sockets, the firewall, name resolution and the
// clock's sources.
//
// Addresses, routes, neighbours and the counters of protocols are with the
// system collector; this one adds what an engineer asks for next. Nothing here
// puts a packet on the wire: no name is looked up, no server is asked but those
// on this machine. Keys of tunnels are not read: WireGuard hides them, and
// those of IPsec are not asked for.
package network
