LC_ALL=C; export LC_ALL
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin; export PATH
exec </dev/null

have() { command -v "$1" >/dev/null 2>&1; }

# copy prints a file with builtins only.
copy() {
  [ -r "$1" ] || return 1
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$1"
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
    above=$1
    while [ "$found" = absent ]; do
      above=${above%/*}
      [ -n "$above" ] || break
      if [ -d "$above" ]; then
        [ -x "$above" ] || found=denied
        break
      fi
    done
  fi
  printf '%s %s\n' "$found" "$2"
}

# names MANAGER STATE FILES... prints a service for each file that is there.
names() {
  manager=$1 suffix=$2
  shift 2
  for file in "$@"; do
    if [ -e "$file" ] || [ -L "$file" ]; then
      file=${file##*/}
      printf '%s\t%s\t\n' "$manager" "${file%"$suffix"}"
    fi
  done
}

frame "begin $kind"

frame 'section uname'
system=$(uname -srm)
printf '%s\n' "$system"

frame 'section release'
case $system in
Darwin*) sw_vers 2>&1 ;;
*) copy /etc/os-release || copy /usr/lib/os-release || copy /etc/redhat-release || copy /etc/alpine-release ;;
esac

frame 'section boot'
case $system in
Darwin*) sysctl -n kern.bootsessionuuid kern.boottime 2>&1 ;;
*) copy /proc/sys/kernel/random/boot_id; copy /proc/uptime ;;
esac

frame 'section clock'
date -u +%s

frame 'section who'
who=$(id)
printf '%s\n' "$who"
case $who in
'uid=0('*) ;;
*) if have sudo && sudo -n true >/dev/null 2>&1; then echo can-become; fi ;;
esac

if have dpkg-query && [ -e /var/lib/dpkg/status ]; then
  frame 'section dpkg'
  dpkg-query -W -f '${Package}\t${Version}\t${Architecture}\t${Status}\n' 2>/dev/null
  code=$?
  frame 'section dpkg-exit'
  echo "$code"
fi
if have rpm; then
  frame 'section rpm'
  rpm -qa --qf '%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{VENDOR}\n' 2>/dev/null
  code=$?
  frame 'section rpm-exit'
  echo "$code"
fi
if [ -e /lib/apk/db/installed ]; then
  frame 'section apk'
  copy /lib/apk/db/installed
  code=$?
  frame 'section apk-exit'
  echo "$code"
fi
if have pkgutil; then
  frame 'section pkgutil'
  pkgutil --pkgs 2>/dev/null
  code=$?
  frame 'section pkgutil-exit'
  echo "$code"
  frame 'section apps'
  for app in /Applications/*.app; do
    [ -d "$app" ] || continue
    printf '%s\t%s\n' "$(plutil -extract CFBundleShortVersionString raw -o - "$app/Contents/Info.plist" 2>/dev/null)" "${app##*/}"
  done
fi

frame 'section units'
if [ -d /run/systemd/system ] && have systemctl; then
  systemctl list-unit-files --type=service --no-legend --no-pager --plain 2>/dev/null
fi
frame 'section services'
names systemd .service /etc/systemd/system/*.service /lib/systemd/system/*.service /usr/lib/systemd/system/*.service
if [ -d /run/openrc ]; then names openrc '' /etc/init.d/*; else names sysv '' /etc/init.d/*; fi
names launchd .plist /Library/LaunchDaemons/*.plist /Library/LaunchAgents/*.plist

frame 'section paths'
ask_paths

frame 'section disk'
set -- /
for dir in /var /var/lib /opt; do [ -d "$dir" ] && set -- "$@" "$dir"; done
df -Pk "$@" 2>/dev/null

frame 'section locks'
set --
for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock \
  /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock /lib/apk/db/lock; do
  [ -e "$file" ] && set -- "$@" "$file"
done
if [ $# -gt 0 ] && [ -r /proc/locks ]; then
  stat -c '%i %n' "$@" 2>/dev/null
  copy /proc/locks
fi
frame 'section pids'
for file in /var/run/yum.pid /run/zypp.pid /var/run/zypp.pid /var/cache/dnf/metadata_lock.pid; do
  pid=
  [ -r "$file" ] && { read -r pid <"$file" || [ -n "$pid" ]; } && [ -n "$pid" ] && [ -d "/proc/$pid" ] && printf '%s %s\n' "$pid" "$file"
done

frame 'section reboot'
for file in /run/reboot-required /var/run/reboot-required /run/reboot-needed /boot/do_purge_kernels; do
  [ -e "$file" ] && printf 'file %s\n' "$file"
done
for file in /run/reboot-required.pkgs /var/run/reboot-required.pkgs; do
  if [ -r "$file" ]; then
    while IFS= read -r line || [ -n "$line" ]; do printf 'package %s\n' "$line"; done <"$file"
    break
  fi
done
frame end
