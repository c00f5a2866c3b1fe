#!/bin/sh
# power.sh DIR NAME: the power supply of a test host. It starts the host, and
# starts it again when the host's process 1 has ended because the host wanted to
# restart: see shutdown.sh. TERM cuts the power.
set -u
dir=$1 name=$2
here=$(dirname "$0")
wanted=$dir/root/dev/oust-lab/restart

trap 'kill -KILL "${!:-}" 2>/dev/null; wait; exit 0' TERM
while :; do
	rm -f "$wanted"
	setpriv --pdeathsig KILL unshare --mount --pid --uts --fork --kill-child=KILL \
		"$here/host.sh" "$dir" "$name" </dev/null 2>>"$dir/log" &
	wait $!
	[ -e "$wanted" ] || exit 0
done
