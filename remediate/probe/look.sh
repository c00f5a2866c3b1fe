#: always
LC_ALL=C; export LC_ALL
PATH=/usr/sbin:/usr/bin:/sbin:/bin:${PATH:-/usr/bin}:/usr/local/sbin:/usr/local/bin; export PATH
unset DPKG_ADMINDIR DPKG_ROOT
exec </dev/null

have() { command -v "$1" >/dev/null 2>&1; }

# bounded SECONDS COMMAND... ends a command that does not end by itself, with
# exit code 124, 137 or 142. An old busybox knows no -k, macOS no timeout.
limit=
if have timeout && { ! have busybox || timeout -k 1 9 true >/dev/null 2>&1; }; then limit=timeout
elif have perl; then limit=perl
fi
bounded() {
  case $limit in
  timeout) timeout -k 5 "$@" ;;
  perl) perl -e 'alarm shift; exec @ARGV or exit 127' "$@" ;;
  *) shift && "$@" ;;
  esac
}

# copy prints a file with builtins only.
copy() {
  [ -f "$1" ] && [ -r "$1" ] || return 1
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"
}

# list MANAGER COMMAND... prints what a package manager says on stdout and
# stderr, and its exit code.
listed=
list() {
  manager=$1 listed="$listed $1"
  shift
  frame "section $manager"
  "$@" 2>&1
  code=$?
  frame "section $manager-exit"
  echo "$code"
}

# look_at PATH QUOTED prints what stands at a path. A link is not followed.
# An absent path below a folder that may not be searched is "denied".
look_at() {
  if [ -L "$1" ]; then found=link
  elif [ -d "$1" ]; then found=dir
  elif [ -f "$1" ]; then found=file
  elif [ -e "$1" ]; then found=other
  else
    found=absent
    above=${1%/*}
    while [ -n "$above" ] && ! [ -d "$above" ]; do
      case $above in */*) above=${above%/*} ;; *) above= ;; esac
    done
    [ -z "$above" ] || [ -x "$above" ] || found=denied
  fi
  asked=$((asked + 1))
  printf '%s %s\n' "$found" "$2"
}

# names MANAGER SUFFIX FOLDER prints a service for each file that is there.
names() {
  [ -d "$3" ] || return 0
  [ -r "$3" ] && [ -x "$3" ] || printf 'denied\t%s\n' "$3"
  for file in "$3"/*"$2"; do
    if [ -e "$file" ] || [ -L "$file" ]; then
      file=${file##*/}
      printf '%s\t%s\n' "$1" "${file%"$2"}"
    fi
  done
}

# units_run UNIT... prints a word of systemd for each, in their order.
units_run() {
  if [ -d /run/systemd/system ] && have systemctl; then bounded 20 systemctl is-active "$@" 2>/dev/null; fi
}

# rpm_database: asked without a database, rpm would make one.
rpm_database() {
  for dir in /var/lib/rpm /usr/lib/sysimage/rpm /usr/share/rpm "${HOME:-/root}/.rpmdb"; do
    for file in rpmdb.sqlite Packages.db Packages; do
      [ -e "$dir/$file" ] && return 0
    done
  done
  return 1
}

# apps FOLDER prints name and version of the bundles in it.
apps() {
  [ -d "$1" ] || return 0
  [ -r "$1" ] && [ -x "$1" ] || printf 'denied\t%s\n' "$1"
  for app in "$1"/*.app; do
    [ -d "$app" ] || continue
    version=$(defaults read "$app/Contents/Info" CFBundleShortVersionString 2>/dev/null) || version=
    printf 'app\t%s\t%s\n' "${app##*/}" "$version"
  done
}

frame "begin $kind"

# Linux 6.1 and newer say without a process what uname says.
frame 'section uname'
system=
for name in ostype osrelease arch; do
  { read -r word < "/proc/sys/kernel/$name"; } 2>/dev/null || { system=; break; }
  system="$system${system:+ }$word"
done
[ -n "$system" ] || system=$(uname -srm)
printf '%s\n' "$system"

#: once
frame 'section release'
case $system in
Darwin*) sw_vers 2>&1 ;;
*)
  copy /etc/os-release || copy /usr/lib/os-release || copy /etc/redhat-release ||
    copy /etc/SuSE-release || copy /etc/alpine-release
  ;;
esac

frame 'section boot'
case $system in
Darwin*) sysctl -n kern.bootsessionuuid kern.boottime 2>&1 ;;
*) copy /proc/sys/kernel/random/boot_id; copy /proc/uptime ;;
esac

frame 'section clock'
date -u +%s

frame 'section who'
uid=
while read -r key _ uid _ && [ "$key" != Uid: ]; do uid=; done 2>/dev/null < "/proc/self/status"
if [ "$uid" = 0 ]; then who='uid=0(root)'; else who=$(id); fi
printf '%s\n' "$who"
case $who in
'uid=0('* | 'uid=0 '*) ;;
*) if have sudo && bounded 10 sudo -n /bin/sh -c : >/dev/null 2>&1; then echo can-become; fi ;;
esac

#: dpkg
if [ -e /var/lib/dpkg/status ]; then
  list dpkg dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${Status}\n'
fi
#: rpm
if rpm_database; then
  list rpm bounded 40 rpm -qa --qf '%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{VENDOR}\n'
fi
#: apk
for file in /lib/apk/db/installed /usr/lib/apk/db/installed; do
  if [ -e "$file" ]; then
    list apk grep '^[CPVA]:' "$file"
    break
  fi
done
#: pkgutil
case $system in
Darwin*)
  listed="$listed pkgutil"
  receipts=$(bounded 40 pkgutil --pkgs 2>&1)
  code=$?
  frame 'section pkgutil'
  printf '%s\n' "$receipts"
  frame 'section pkgutil-exit'
  echo "$code"
  frame 'section pkgutil-info'
  for id in $receipts; do
    case $id in com.apple.*) ;; *.*) pkgutil --pkg-info "$id" 2>/dev/null ;; esac
  done
  frame 'section apps'
  for dir in /Applications /Applications/* /Users/*/Applications; do
    case $dir in *.app) ;; *) apps "$dir" ;; esac
  done
  ;;
esac

#: once
frame 'section managers'
echo "$listed"

frame 'section units'
if [ -d /run/systemd/system ] && have systemctl; then
  bounded 20 systemctl list-unit-files --type=service --no-legend --no-pager --plain 2>/dev/null
fi
frame 'section services'
for dir in /etc /run /usr/local/lib /usr/lib; do names systemd .service "$dir/systemd/system"; done
[ -L /lib ] || names systemd .service /lib/systemd/system
if [ -d /run/openrc ]; then names openrc '' /etc/init.d; else names sysv '' /etc/init.d; fi
names launchd .plist /Library/LaunchDaemons
names launchd .plist /Library/LaunchAgents

ask_services

#: paths
frame 'section paths'
asked=0
ask_paths
echo "asked $asked"

#: once
frame 'section disk'
set -- /
for dir in /var /var/lib /opt; do [ -d "$dir" ] && set -- "$@" "$dir"; done
df -Pk "$@" 2>/dev/null

frame 'section locks'
set --
for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock \
  /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock /lib/apk/db/lock /usr/lib/apk/db/lock; do
  [ -e "$file" ] && set -- "$@" "$file"
done
if [ $# -gt 0 ] && [ -r /proc/locks ]; then
  inodes=$(stat -c '%i %n' "$@" 2>/dev/null)
  printf '%s\n' "$inodes"
  set --
  for word in $inodes; do
    case $word in /*) ;; *) set -- "$@" -e ":$word " ;; esac
  done
  [ $# -eq 0 ] || grep -F "$@" /proc/locks
fi
frame 'section pids'
for file in /run/yum.pid /var/run/yum.pid /run/zypp.pid /var/run/zypp.pid /var/cache/dnf/metadata_lock.pid; do
  pid=
  [ -r "$file" ] && { read -r pid <"$file" || [ -n "$pid" ]; } && [ -n "$pid" ] && [ -d "/proc/$pid" ] && printf '%s %s\n' "$pid" "$file"
done

frame 'section reboot'
for file in /run/reboot-required /var/run/reboot-required /run/reboot-needed /var/run/reboot-needed; do
  [ -e "$file" ] && printf 'file %s\n' "$file"
done
for file in /run/reboot-required.pkgs /var/run/reboot-required.pkgs; do
  if [ -r "$file" ]; then
    while IFS= read -r line || [ -n "$line" ]; do printf 'package %s\n' "$line"; done <"$file"
    break
  fi
done
#: always
frame end
