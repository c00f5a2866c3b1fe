# find_processes PATH... -- NAME...: puts into $pids the processes that run
# one of the executables or have one of the names; kernel threads have no
# executable and are left out.
find_processes() {
	pids=
	set +f
	for proc in /proc/[0-9]*; do
		comm= hit=no by=path
		if [ -e "$proc/exe" ]; then
			{ read -r comm <"$proc/comm"; } 2>/dev/null
		fi
		for want; do
			if [ "$by$want" = path-- ]; then
				by=name
			elif [ "$by" = path ] && [ "$proc/exe" -ef "$want" ]; then
				hit=yes
			elif [ "$by" = name ] && [ -n "$comm" ] && [ "$comm" = "$want" ]; then
				hit=yes
			fi
		done
		if [ "${proc#/proc/}" = 1 ] || [ "${proc#/proc/}" = "$$" ]; then hit=no; fi
		if [ "$hit" = yes ]; then pids="$pids ${proc#/proc/}"; fi
	done
	set -f
}

# end_processes GRACE PATH... -- NAME...: asks them to end, and kills those
# that are still there after GRACE seconds.
# shellcheck disable=SC2086
end_processes() {
	grace=$1 waited=0
	shift
	find_processes "$@"
	if [ -z "$pids" ]; then
		finish absent 0
		return
	fi
	kill -TERM $pids 2>/dev/null
	while find_processes "$@"; [ -n "$pids" ] && [ "$waited" -lt "$grace" ]; do
		sleep 1 </dev/null
		waited=$((waited + 1))
	done
	[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
	waited=0
	while find_processes "$@"; [ -n "$pids" ] && [ "$waited" -lt 5 ]; do
		sleep 1 </dev/null
		waited=$((waited + 1))
	done
	if [ -z "$pids" ]; then finish ok 0; else finish failed 1 "still running:$pids"; fi
}
