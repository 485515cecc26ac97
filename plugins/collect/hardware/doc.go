// Package hardware collects what the machine is made of and how it feels:
// firmware, processors, PCI and USB devices, disks with their SMART data, NVMe
// controllers, sensors, memory errors, RAID controllers, the management
// controller.
//
// Most of it is read from sysfs, so that a machine without any tools installed
// tells as much as the kernel knows; the tools that are there add what only
// they can ask. A device or tool that is not there is absent.
package hardware
