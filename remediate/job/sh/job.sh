# The job itself. It runs with no session and no input. Set before: what
# base.sh needs, and LAUNCH, CAMPAIGN, CONTROLLER, SHELL_, MAXKEPT, HEADKEPT.

RUN=$DIR/$LAUNCH

# note_start: says who runs, before the claim makes it count.
note_start() {
	born $$
	now=$(date +%s)
	up0=
	{ read -r up0 _; } 2>/dev/null </proc/uptime
	printf '%s %s %s %s %s %s\n%s\n%s\n.\n' "$LAUNCH" "$boot" "$$" "$now" "$ID" "$born" \
		"$CAMPAIGN" "$CONTROLLER" >"$RUN/started"
}

# take_lock: one attempt at a time on a host. False if another lives (owner,
# owner_campaign) or the lock cannot be had (why).
take_lock() {
	tries=0 owner= owner_campaign= why=
	until ln -s "$ID/claim" "$BASE/lock" 2>/dev/null; do
		tries=$((tries + 1))
		if [ "$tries" -gt 30 ]; then
			why="$BASE/lock could not be taken"
			return 1
		fi
		holder=$(readlink "$BASE/lock" 2>/dev/null)
		holder=${holder%/claim}
		case $holder in
		'')
			# Just released.
			[ "$tries" -lt 5 ] || pause
			;;
		*[!0-9a-z]*)
			why="$BASE/lock is damaged"
			return 1
			;;
		*)
			# Who holds the lock has a claim that can be read, or is dead.
			if started "$BASE/$holder/claim" && working "$BASE/$holder/$s_launch"; then
				owner=$holder owner_campaign=$s_campaign
				return 1
			fi
			break_lock "$holder" || pause
			;;
		esac
	done
}

pause() { sleep 0.1 2>/dev/null || sleep 1; }

# watch: keeps the beginning and the end of a log that grows without end.
watch() {
	while sleep 1 && [ -d "$RUN" ] && [ ! -s "$RUN/end" ]; do
		# Nobody may be left to stop this.
		kill -0 $$ 2>/dev/null || kill -0 "$child" 2>/dev/null || return
		[ -s "$RUN/log" ] || continue
		size=$(wc -c <"$RUN/log") || return
		[ "$((size))" -gt "$MAXKEPT" ] || continue
		[ -s "$RUN/log.head" ] || head -c "$HEADKEPT" "$RUN/log" >"$RUN/log.head"
		: >"$RUN/log"
	done
}

# run_script: runs it and sets exit.
run_script() {
	export OUST_DIR="$RUN"
	"$SHELL_" "$RUN/script" </dev/null >>"$RUN/log" 2>&1 &
	child=$!
	born "$child" && printf '%s %s\n' "$child" "$born" >"$RUN/child"
	watch &
	watcher=$!
	wait "$child"
	exit=$?
	kill "$watcher" 2>/dev/null
}

# finish HOW EXIT: the last act; after it the folder is left alone.
finish() {
	if [ -n "$up0" ] && { read -r up1 _; } 2>/dev/null </proc/uptime; then
		now=$((now + ${up1%.*} - ${up0%.*}))
	else
		now=$(date +%s)
	fi
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		printf '%s %s %s %s\n%s\n%s\n.\n' "$1" "$2" "$now" "$owner" "$owner_campaign" "$why" >"$RUN/end" && return
		# Full, perhaps for a moment; or removed by hand.
		[ -d "$RUN" ] || return
		sleep 5
	done
}

# Everything is read before anything runs: the folder may go at the end.
main() {
	cd /
	umask 077
	note_start || exit 1
	if ! ln -s "$LAUNCH/started" "$DIR/claim" 2>/dev/null; then
		rm -rf "$RUN"
		exit 0
	fi
	if take_lock; then
		run_script
		rm -rf "$DIR"/*/secrets "$BASE/lock" 2>/dev/null
		finish ended "$exit"
	elif [ -n "$owner" ]; then
		rm -rf "$DIR"/*/secrets
		finish locked 0
	else
		rm -rf "$DIR"/*/secrets
		finish refused 0
	fi
	exit 0
}
main
