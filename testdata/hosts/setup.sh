#!/bin/sh
# setup.sh makes this machine ready for the tests on real hosts: it installs
# what is missing and builds the roots. It is safe to run again, and quick then.
# Where real hosts cannot be had, it says which tests are skipped, and why.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
suites="real sshd hosts (transports/transporttest/sshdlab and all tests that use it), Windows hosts out of wine (transports/transporttest/winelab), pages in a browser (remediate/report), make bench"

skip() {
	if [ "${OUST_NO_SKIP:-}" = 1 ]; then
		echo "setup: real hosts cannot be had: $1 (and OUST_NO_SKIP=1 forbids to skip)" >&2
		exit 1
	fi
	echo "setup: skipped: $suites" >&2
	echo "setup: because $1" >&2
	exit 0
}

[ "$(uname -s)" = Linux ] || skip "they need Linux namespaces"
command -v apt-get >/dev/null && command -v dpkg >/dev/null || skip "they need a Debian machine, for debootstrap and its packages"
[ "$(id -u)" = 0 ] || skip "they need root, for mounts and namespaces"
unshare --mount true 2>/dev/null || skip "mount namespaces are not allowed here"

# need PACKAGE COMMAND: notes the package if its command is not there.
missing=
need() { command -v "$2" >/dev/null || missing="$missing $1"; }
need debootstrap debootstrap
need openssh-client ssh
need rpm rpmbuild
need util-linux setpriv
need iproute2 ip
need busybox busybox # shells that scripts are tried in
need gcc gcc # go test -race
need mksh mksh
# Windows hosts out of wine, and what is built for them.
need wine wine
need wine64 /usr/lib/wine/wine64
need wixl wixl
need msitools msibuild
need gcc-mingw-w64-x86-64 x86_64-w64-mingw32-gcc
# A KDC, for logins by Kerberos.
need krb5-kdc /usr/sbin/krb5kdc
need krb5-admin-server /usr/sbin/kadmin.local
need krb5-user /usr/bin/kinit
# A domain of Active Directory.
{ [ -e /usr/sbin/samba ] && [ -e /usr/share/samba/setup/provision.ldif ]; } ||
	missing="$missing samba samba-ad-provision samba-dsdb-modules samba-vfs-modules"
# A WinRM client of others, which the simulated Windows hosts are held against,
# and Kerberos of others.
/usr/bin/python3 -c 'import winrm, requests_ntlm, requests_kerberos, gssapi' 2>/dev/null ||
	missing="$missing python3-winrm python3-requests-ntlm python3-requests-kerberos python3-gssapi"
# Pages are looked at in a browser, and judged by axe-core, which npm installs.
need chromium chromium
need npm npm
if [ "${1:-}" = bench ]; then
	need clustershell clush
	need pssh parallel-ssh
	need ansible-core ansible-playbook
fi
if [ -n "$missing" ]; then
	echo "setup: installing$missing" >&2
	log=$(mktemp)
	# No service of what is installed is started: tests run programs of their own.
	policy=/usr/sbin/policy-rc.d
	if [ -e "$policy" ]; then
		policy=
	else
		trap 'rm -f "$policy"' EXIT
		trap 'exit 1' INT TERM
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	# shellcheck disable=SC2086 # the list is meant to split
	if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		skip "apt-get could not install$missing"
	fi
	rm -f "$log"
	[ -z "$policy" ] || rm -f "$policy"
	trap - EXIT INT TERM
	units=
	case "$missing " in *" samba "*) units="smbd nmbd samba-ad-dc" ;; esac
	case "$missing " in *" krb5-kdc "*) units="$units krb5-kdc krb5-admin-server" ;; esac
	for unit in $units; do
		systemctl disable "$unit" >/dev/null 2>&1 || : # where there is no systemd
	done
elif ! apt-get indextargets --format '$(CREATED_BY)' | grep -q Packages; then
	apt-get update >/dev/null 2>&1 </dev/null || skip "apt-get update fails"
fi

"$here/build.sh"
"$here/wine.sh"
"$here/axe.sh" || {
	[ "${OUST_NO_SKIP:-}" != 1 ] || exit 1
	echo "setup: skipped: pages in a browser (remediate/report), because npm could not install axe-core" >&2
}
