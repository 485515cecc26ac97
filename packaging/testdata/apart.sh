#!/bin/bash
# Runs life.sh in a copy of this system: an overlay that nobody else sees, with
# processes of its own. 77: that cannot be had here.
set -euo pipefail
base=$1 packages=$2 script=$3
mount -t tmpfs tmpfs "$base" || exit 77
mkdir "$base"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root" || exit 77
mount -t proc proc "$base/root/proc" || exit 77
mount --rbind /dev "$base/root/dev" || exit 77
mkdir -p "$base/root/packages"
cp "$packages"/*.deb "$script" "$base/root/packages/"
# Not in the environment of the tests: what a session of root has.
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PACKAGES=/packages \
	chroot "$base/root" bash "/packages/$(basename "$script")"
