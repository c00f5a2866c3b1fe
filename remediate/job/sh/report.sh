# How a script answers. Set before: what base.sh needs, and the functions
# frame_begin, frame_end and frame_NAME.

# refuse WHY DETAIL: nothing was started.
refuse() {
	frame_state
	printf 'state refused\nrefusal %s\n' "$1"
	frame_detail
	printf '%s' "$2"
	frame_end
	exit 0
}

# need_root: goes on only as root.
need_root() {
	uid=
	if [ -r /proc/self/status ]; then
		while read -r key _ uid _; do
			[ "$key" != Uid: ] || break
			uid=
		done </proc/self/status
	fi
	[ -n "$uid" ] || uid=$(id -u 2>/dev/null)
	[ "$uid" = 0 ] || refuse privilege "the job needs root, and runs as user id ${uid:-unknown}"
}

# check_base: goes on only if nobody but root can have written below BASE.
check_base() {
	[ ! -h "$BASE" ] || refuse base "$BASE is a link"
	[ -d "$BASE" ] || refuse base "$BASE is not a folder"
	set -- $(ls -ldn "$BASE" 2>/dev/null)
	[ "$3" = 0 ] || refuse base "$BASE belongs to user id ${3:-unknown}, not to root"
	case $1 in
	drwx------*) ;;
	d????w* | d???????w*) refuse base "$BASE can be written by others than root ($1)" ;;
	*) err=$(chmod 700 "$BASE" 2>&1) || refuse storage "$err" ;;
	esac
	[ ! -h "$DIR" ] || refuse base "$DIR is a link"
}

# ended: reads how the job ended; false if it has not, or was cut off there.
ended() {
	e_dot=
	{
		read -r how exit at owner
		IFS= read -r owner_campaign
		IFS= read -r why
		read -r e_dot
	} 2>/dev/null <"$RUN/end"
	[ "$e_dot" != . ] || return 0
	how= exit= at= owner= owner_campaign= why=
	return 1
}

# look: sets state, and RUN if there is a claim.
look() {
	state=absent RUN= how= exit= at= owner= owner_campaign= why=
	[ -d "$DIR" ] || return 0
	state=prepared
	[ -h "$DIR/claim" ] || return 0
	state=died
	if ! started "$DIR/claim"; then
		why='the folder of the attempt is damaged'
		return 0
	fi
	RUN=$DIR/$s_launch
	if ended; then
		state=$how
	elif working "$RUN"; then
		state=running
	elif ended; then
		# It ended between the two looks.
		state=$how
	else
		why='the job is gone and left no exit code'
		[ "$s_boot" = "$boot" ] || why='the host was started again before the job ended'
	fi
}

# report: prints what look found.
report() {
	frame_state
	printf 'state %s\nboot %s\n' "$state" "$boot"
	if [ -n "$RUN" ]; then
		printf 'pid %s\nstarted %s\nbegan-in %s\n' "$s_pid" "$s_at" "$s_boot"
		[ -z "$exit" ] || printf 'exit %s\nended %s\n' "$exit" "$at"
		[ -z "$owner" ] || printf 'owner %s\nowner-campaign %s\n' "$owner" "$owner_campaign"
		if [ -s "$RUN/result" ]; then
			frame_result
			head -c "$MAXRESULT" "$RUN/result"
		fi
		if [ "$state" != running ] && [ -s "$RUN/log" ]; then
			if [ -s "$RUN/log.head" ]; then
				frame_head
				cat "$RUN/log.head"
			fi
			frame_log
			tail -c "$MAXLOG" "$RUN/log"
		fi
	fi
	if [ -n "$why" ]; then
		frame_detail
		printf '%s' "$why"
	fi
	frame_end
}
