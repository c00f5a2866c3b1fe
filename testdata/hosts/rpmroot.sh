#!/bin/sh
# rpmroot.sh DEB_ROOT DIR: makes the layer that turns the Debian root into a
# host of an invented RPM distribution: the real rpm with an empty database,
# and nothing of dpkg or apt. Debian's archive holds no RPM distribution; what
# the tests want from one is rpm itself and the scriptlets that it runs.
set -eu
if [ "${OUST_INSIDE:-}" != 1 ]; then
	OUST_INSIDE=1 exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi
base=$1 dir=$2

# The overlay lives in this process's own mount namespace and ends with it.
work=$(mktemp -d "${dir%/*}/.building.XXXXXX")
trap 'cd /; umount -R "$work/root"; rm -rf --one-file-system "$work"' EXIT
mkdir "$work/work" "$work/root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$dir,workdir=$work/work,redirect_dir=off,metacopy=off,index=off" "$work/root"
root=$work/root
mount -t proc proc "$root/proc"
cat /etc/resolv.conf >"$root/etc/resolv.conf"
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"

proxy=
eval "$(apt-config shell proxy Acquire::http::Proxy)"
[ -z "$proxy" ] || export http_proxy="$proxy"
in_root() { chroot "$root" env LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
in_root apt-get update
in_root apt-get install --yes --no-install-recommends rpm

rm -rf "$root"/var/lib/dpkg "$root"/var/lib/apt "$root"/var/cache/apt "$root"/etc/apt "$root"/etc/dpkg \
	"$root"/var/cache/debconf "$root"/usr/share/doc/* "$root"/usr/share/locale/*
rm -f "$root"/usr/bin/dpkg* "$root"/usr/bin/apt* "$root"/usr/sbin/dpkg* "$root"/usr/sbin/start-stop-daemon \
	"$root"/etc/debian_version "$root"/var/log/dpkg.log "$root"/var/log/apt/* "$root"/etc/resolv.conf "$root"/etc/os-release "$root"/usr/lib/os-release
: >"$root/etc/resolv.conf"
printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' >"$root/etc/nsswitch.conf"
cat >"$root/usr/lib/os-release" <<'END'
NAME="Oust Test Linux"
PRETTY_NAME="Oust Test Linux 9.4 (invented, RPM)"
ID="ousttest-rpm"
ID_LIKE="rhel fedora"
VERSION="9.4"
VERSION_ID="9.4"
END
ln -s ../usr/lib/os-release "$root/etc/os-release"
# Debian compiles in a database below the home folder; elsewhere it is here.
mkdir -p "$root/etc/rpm" "$root/var/lib/rpm"
echo '%_dbpath /var/lib/rpm' >"$root/etc/rpm/macros.dbpath"
in_root rpm --initdb

# One package that the distribution seems to consist of: without something
# that provides /bin/sh no other package with a scriptlet can be installed.
cat >"$work/release.spec" <<'END'
Name: ousttest-release
Version: 9.4
Release: 1
Summary: Base of an invented distribution
License: Apache-2.0
BuildArch: noarch
Provides: /bin/sh
%description
Base of an invented distribution.
%files
END
rpmbuild -bb --quiet --target noarch --define "_topdir $work/rpmbuild" --define "_dbpath $work/db" \
	--define "_rpmdir $root/var/tmp" --define "_build_name_fmt release.rpm" "$work/release.spec"
in_root rpm -i /var/tmp/release.rpm
rm -f "$root/var/tmp/release.rpm"
in_root rpm -qa | grep -q ousttest-release
