#!/bin/sh
# layer.sh deb|rpm LOWERS PACKAGE... DIR: installs packages on top of roots
# and leaves in DIR what that changed, as a layer for overlay mounts. Forty
# hosts that start with a product installed then cost no installation.
set -eu
if [ "${OUST_INSIDE:-}" != 1 ]; then
	OUST_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi
kind=$1 lowers=$2
shift 2
files=
while [ $# -gt 1 ]; do files="$files $1"; shift; done
dir=$1

work=$(mktemp -d "${dir%/*}/.building.XXXXXX")
trap 'cd /; umount -R "$work/root"; rm -rf --one-file-system "$work"' EXIT
mkdir "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=$lowers,upperdir=$dir,workdir=$work/work,redirect_dir=off,metacopy=off,index=off" "$work/root"
root=$work/root
mount -t proc proc "$root/proc"
names=
mkdir -p "$root/var/tmp/oust-lab"
for file in $files; do
	cp "$file" "$root/var/tmp/oust-lab/"
	names="$names /var/tmp/oust-lab/${file##*/}"
done
# shellcheck disable=SC2086 # the names are meant to split
case $kind in
deb) chroot "$root" env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin dpkg -i $names ;;
rpm) chroot "$root" env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin rpm -i $names ;;
*) echo "kind $kind is neither deb nor rpm" >&2; exit 1 ;;
esac
rm -rf "$root/var/tmp/oust-lab"
