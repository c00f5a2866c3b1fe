#!/bin/sh
# record.sh NAME runs the look that it reads from stdin on a real host of the
# test lab and prints what the host prints: debian-12 as root, debian-12-user
# as a user who may become root, rpm-4.18 as root. Root only; the hosts' roots
# must have been built by testdata/hosts/setup.sh.
set -eu
if [ "${OUST_INSIDE:-}" != 1 ]; then
	OUST_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi
here=$(cd "$(dirname "$0")" && pwd)
eval "$("$here/../hosts/build.sh" --paths | sed 's/^\([a-z]*\)-/\1_/')"
case $1 in
debian-*) lowers=$deb_all:$deb ;;
rpm-*) lowers=$rpm_all:$rpm:$deb ;;
*) echo "record.sh: no host is named $1" >&2; exit 1 ;;
esac

# All that is mounted is gone with this process's mount namespace.
work=$(mktemp -d)
trap 'cd /; umount -R "$work"; rmdir "$work"' EXIT
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
root=$work/root
mount -t overlay overlay -o "lowerdir=$lowers,upperdir=$work/upper,workdir=$work/work,redirect_dir=off,metacopy=off,index=off" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
cat /proc/sys/kernel/random/uuid >"$work/boot_id"
mount --bind "$work/boot_id" "$root/proc/sys/kernel/random/boot_id"
in_root() { chroot "$root" env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

user=root
case $1 in
debian-12-user)
	user=nopw
	in_root dpkg --remove kesl-gui klnagent64 >&2
	chmod 700 "$root/var/opt/kaspersky"
	;;
esac
in_root setpriv --reuid "$user" --regid "$user" --init-groups sh -c 'eval "$(cat)"'
