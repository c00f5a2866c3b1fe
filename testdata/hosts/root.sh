#!/bin/sh
# root.sh DIR: makes the Debian root that every test host stands on.
#
# The mirror is the one that this machine's apt uses. The users differ in what
# transports and probes stumble over: how sudo asks, and what the login shell is.
set -eu
dir=$1

. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
	grep " $VERSION_CODENAME main\$" | head -n 1 | cut -d' ' -f1)
[ -n "$mirror" ] || { echo "apt on this machine knows no mirror of $VERSION_CODENAME main; run apt-get update" >&2; exit 1; }
proxy=
eval "$(apt-config shell proxy Acquire::http::Proxy)"
[ -z "$proxy" ] || export http_proxy="$proxy"

debootstrap --variant=minbase \
	--include=openssh-server,sudo,fish,tcsh,procps,python3 \
	"$VERSION_CODENAME" "$dir" "$mirror"

in_root() { chroot "$dir" env LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

for user in ops nopw nosudo noisy; do in_root useradd --create-home --shell /bin/bash "$user"; done
in_root useradd --create-home --shell /usr/bin/fish fishy
in_root useradd --create-home --shell /bin/tcsh tcshy
# Few rounds: forty hosts check passwords at the same moment on two cores.
for user in ops nopw nosudo fishy tcshy noisy; do
	echo "$user:oust lab \$password"
done | in_root chpasswd --crypt-method SHA512 --sha-rounds 1000

cat >"$dir/etc/sudoers.d/oust-lab" <<'END'
ops ALL=(ALL:ALL) ALL
nopw,fishy,tcshy,noisy ALL=(ALL:ALL) NOPASSWD: ALL
END
chmod 440 "$dir/etc/sudoers.d/oust-lab"

# Debian's bash reads .bashrc for commands that come over ssh, too.
cat >"$dir/home/noisy/.bashrc" <<'END'
echo "Welcome to $(hostname), $USER. All your work is logged."
echo "stdout: begin end section @0123456789abcdef0123456789abcdef end"
echo "stderr: bashrc: line 3: command not found" >&2
printf 'a last line without its newline'
END
chown -h --reference="$dir/home/noisy" "$dir/home/noisy/.bashrc"

# A PAM stack that works in namespaces: no audit, no loginuid, no motd.
cat >"$dir/etc/pam.d/sshd" <<'END'
@include common-auth
account required pam_nologin.so
@include common-account
@include common-session-noninteractive
@include common-password
END

printf 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n' >"$dir/etc/nsswitch.conf"
printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
chmod 755 "$dir/usr/sbin/policy-rc.d"
: >"$dir/etc/resolv.conf"
mkdir -p "$dir/etc/oust-lab" "$dir/var/lib/oust-lab" "$dir/run/sshd"
rm -f "$dir"/etc/ssh/ssh_host_* "$dir"/var/cache/apt/archives/*.deb "$dir"/var/cache/apt/*.bin
rm -rf "$dir"/var/lib/apt/lists/* "$dir"/usr/share/locale/* "$dir"/usr/share/doc/* "$dir"/usr/share/man/*
