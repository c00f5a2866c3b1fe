#!/bin/sh
# Stands in on test hosts for shutdown(8) as sysvinit has it, which stays until
# the time has come, and for reboot(8). Hosts share the kernel with the machine
# that they run on: nothing here asks the kernel for a reboot. The host's process
# 1 is ended, and power.sh starts the host again. A minute lasts as many seconds as
# /etc/oust-lab/minute says. What was asked for is noted in /dev/oust-lab/shutdowns,
# a line each: minutes, a tab, the message.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
notes=/dev/oust-lab
name=${0##*/}

if [ "$(id -u)" != 0 ]; then
	echo "$name: you must be root to do that!" >&2
	exit 1
fi

restart() {
	rm -f /run/shutdown.pid
	: >"$notes/restart"
	kill -TERM 1
}

if [ "$name" = reboot ]; then
	printf '0\t\n' >>"$notes/shutdowns"
	restart
	exit 0
fi
mode=
while [ $# -gt 0 ]; do
	case $1 in
	-r) mode=restart ;;
	-c) mode=cancel ;;
	-*)
		echo "$name: this stand-in does not know $1" >&2
		exit 1
		;;
	*) break ;;
	esac
	shift
done
pid=
{ read -r pid; } 2>/dev/null </run/shutdown.pid
case $mode in
cancel)
	[ -n "$pid" ] && kill "$pid" && rm -f /run/shutdown.pid
	exit
	;;
'')
	echo "$name: this stand-in restarts only" >&2
	exit 1
	;;
esac
if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then
	echo "$name: already running (pid $pid)." >&2
	exit 1
fi
case ${1:-} in
now) minutes=0 ;;
+[0-9]*) minutes=${1#+} ;;
*)
	echo "$name: no time is given that this stand-in knows" >&2
	exit 1
	;;
esac
shift
echo $$ >/run/shutdown.pid
printf '%s\t%s\n' "$minutes" "$*" >>"$notes/shutdowns"
minute=60
{ read -r minute; } 2>/dev/null </etc/oust-lab/minute
sleep $((minutes * minute))
restart
