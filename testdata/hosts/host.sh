#!/bin/sh
# host.sh DIR NAME: process 1 of a test host, in namespaces of its own. It
# prints "up NAME PID" with its PID as the outside sees it (the /proc that is
# still mounted here is the outside's), makes the host's own /proc and the
# like, and becomes sshd.
set -eu
dir=$1 name=$2
root=$dir/root

read -r pid _ </proc/self/stat
hostname "$name"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755,size=16m tmpfs "$root/run"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
mount -t sysfs -o ro sysfs "$root/sys" 2>/dev/null || true
mkdir "$root/run/sshd"

# Namespaces share the kernel's boot id; a host that restarts wants its own.
cat "$root/proc/sys/kernel/random/uuid" >"$dir/boot_id"
mount --bind "$dir/boot_id" "$root/proc/sys/kernel/random/boot_id"

echo "up $name $pid"
cd "$root"
# Nothing in a host may restart the machine that it shares the kernel with.
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
	setpriv --bounding-set=-sys_boot --inh-caps=-sys_boot \
	chroot "$root" /usr/sbin/sshd -D -e >>"$dir/log" 2>&1
