// Package kernel collects what the kernel says about itself: its messages,
// parameters, modules, taints, mitigations, memory and where it stalls.
//
// taints.json and modules.txt say in words what the kernel says in bits, and
// which module it was: the first question about every crash.
package kernel
