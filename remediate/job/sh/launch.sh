# Puts the job into its folder and starts it, unless it was started before.
# Set before: LAUNCH, SYSTEMD, SHELL_, and the function stage_files.

# by_systemd: starts the job as a unit of its own, which no session's end can
# reach; false if that cannot be. KillMode=process leaves alone what an
# uninstaller has left to finish its work.
by_systemd() {
	set -- --unit="oust-$ID" --property=KillMode=process "$SHELL_" "$RUN_/job"
	# --collect and --wait are new in systemd 236 and 232.
	if ! systemd-run --quiet --collect --wait "$@" </dev/null >/dev/null 2>&1; then
		if [ ! -h "$DIR/claim" ]; then
			systemd-run "$@" </dev/null >/dev/null 2>&1 || return 1
		fi
	fi
	frame_waiting
	n=0
	while look; do
		case $state in
		running) ;;
		prepared) [ "$n" -lt 15 ] || return 0 ;;
		*) return 0 ;;
		esac
		# The session's end is seen by printing.
		printf . || exit 0
		n=$((n + 1))
		if [ "$n" -lt 10 ]; then
			sleep 0.1 2>/dev/null || sleep 1
		else
			sleep 1
		fi
	done
}

# start: starts the job and waits for its end.
start() {
	if [ -d "$SYSTEMD" ] && command -v systemd-run >/dev/null 2>&1; then
		by_systemd && return
	fi
	if command -v setsid >/dev/null 2>&1; then
		setsid "$SHELL_" "$RUN_/job" </dev/null >/dev/null 2>&1 &
	else
		set -m 2>/dev/null
		nohup "$SHELL_" "$RUN_/job" </dev/null >/dev/null 2>&1 &
		# Else some shells tell of its end.
		set +m 2>/dev/null
	fi
	wait $!
}

# stage: writes the launch's own folder. Nobody else looks at it before the
# claim names it.
stage() {
	err=$(mkdir -p "$RUN_/secrets" 2>&1) || err=$(mkdir -p "$RUN_/secrets" 2>&1) || return 1
	if ! stage_files 2>/dev/null; then
		err=$(stage_files 2>&1)
		# busybox says why on its own outputs only.
		[ -n "$err" ] || err="$RUN_ could not be written"
		return 1
	fi
	# There are printfs that do not notice a full disk.
	set -- $(wc -c "$RUN_/job" "$RUN_/script" "$RUN_"/secrets/* 2>/dev/null)
	while [ $# -gt 2 ]; do shift 2; done # the last line is the total
	[ "${1:-}" = "$SIZE" ] && return 0
	err="$RUN_ could not be written whole"
	return 1
}

# own_printf: does the shell print by itself? A command of its own would show
# secrets on its command line.
own_printf() {
	path=$PATH PATH=/nonexistent
	printf '' 2>/dev/null
	own=$?
	PATH=$path
	return "$own"
}

frame_begin
need_root
own_printf || refuse shell 'the shell has no printf of its own'
if [ -d "$BASE" ] || [ -h "$BASE" ]; then
	check_base
elif ! mkdir -m 700 "$BASE" 2>/dev/null; then
	# What is above it may be others' too.
	err=$(umask 022 && mkdir -p "${BASE%/*}" 2>&1 && umask 077 && mkdir "$BASE" 2>&1) || [ -d "$BASE" ] || refuse storage "$err"
	check_base
fi
look
case $state in
absent | prepared)
	RUN_=$DIR/$LAUNCH
	if ! stage; then
		rm -rf "$RUN_" 2>/dev/null
		refuse storage "$err"
	fi
	frame_accepted
	start
	look
	[ "$state" != prepared ] || why='the job did not start'
	;;
esac
report
