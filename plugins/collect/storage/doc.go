// Package storage collects how data reaches its disks: volume groups,
// multipath, iSCSI, Fibre Channel, NVMe over fabrics, software RAID, ZFS,
// Btrfs, NFS, quotas.
//
// Disks themselves are with the hardware collector, mounts and free space with
// the system collector. Passwords of iSCSI sessions are not asked for.
package storage
