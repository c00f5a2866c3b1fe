# Restarts the host, unless it is in another boot or something is at work. Set
# before: what restart.sh needs, and WANTED, MINUTES, SOON, SYSTEMD, SHELL_, and the
# function stage_restart.

users=0 delay=0

# answer STATE DETAIL: the whole answer.
answer() {
	frame_state
	printf 'state %s\nboot %s\nusers %s\ndelay %s\n' "$1" "$boot" "$users" "$delay"
	if [ -n "$2" ]; then
		frame_detail
		printf '%s' "$2"
	fi
	frame_end
	exit 0
}

# refuse WHY DETAIL: nothing was asked for.
refuse() {
	frame_state
	printf 'state refused\nrefusal %s\nboot %s\nusers %s\n' "$1" "$boot" "$users"
	frame_detail
	printf '%s' "$2"
	frame_end
	exit 0
}

have() { command -v "$1" >/dev/null 2>&1; }

pause() { sleep 0.1 2>/dev/null || sleep 1; }

# planned: is a restart under way or planned already, by whomever? Sets delay
# where that is known.
planned() {
	mode= usec=
	if [ -d "$SYSTEMD" ]; then
		# What logind keeps for itself and for `shutdown --show`.
		while IFS='=' read -r key value; do
			case $key in
			USEC) usec=${value%??????} ;;
			MODE) mode=$value ;;
			esac
		done 2>/dev/null <"${SYSTEMD%/*}/shutdown/scheduled"
	fi
	case $usec in '' | *[!0-9]*) mode= ;; esac
	case $mode in
	'' | dry-*) ;;
	*)
		delay=$((usec - $(date +%s)))
		[ "$delay" -gt 0 ] && [ "$delay" -lt 1000000000 ] || delay=0
		case $mode in
		*reboot | kexec) return 0 ;;
		esac
		refuse tool "the host is about to stop: $mode in $delay seconds"
		;;
	esac
	mark_alive && return 0
	pid=
	{ read -r pid; } 2>/dev/null <"$RUNDIR/shutdown.pid"
	case $pid in
	'' | *[!0-9]*) ;;
	*) kill -0 "$pid" 2>/dev/null && return 0 ;;
	esac
	[ ! -d /proc ] && pgrep -x shutdown >/dev/null 2>&1
}

# by_who counts the lines of who, of which busybox may give a head.
by_who() {
	who 2>/dev/null | {
		n=0
		while read -r name line _; do
			case "$name $line" in
			' ' | 'USER TTY') ;;
			*) n=$((n + 1)) ;;
			esac
		done
		echo "$n"
	}
}

# by_loginctl counts the sessions of persons: those with a terminal or a
# screen. A login without one is a program's, such as this one.
by_loginctl() {
	n=0
	for session in $(loginctl list-sessions --no-legend --no-pager 2>/dev/null | while read -r id _; do echo "$id"; done); do
		class= place= closing=
		for word in $(loginctl show-session "$session" -p Class -p State -p TTY -p Seat -p Display 2>/dev/null); do
			case $word in
			Class=*) class=${word#*=} ;;
			State=closing) closing=1 ;;
			TTY=?* | Seat=?* | Display=?*) place=1 ;;
			esac
		done
		case $class in
		user | user-early) [ -z "$place" ] || [ -n "$closing" ] || n=$((n + 1)) ;;
		esac
	done
	echo "$n"
}

# count_users: how many are logged on. Of two answers the greater counts: a
# warning too many harms nobody.
count_users() {
	if have who; then users=$(by_who); fi
	if [ -d "$SYSTEMD" ] && have loginctl; then
		n=$(by_loginctl)
		[ "$n" -le "$users" ] || users=$n
	fi
}

# detach FILE: runs a script that no session's end can reach.
detach() {
	if [ -d "$SYSTEMD" ] && have systemd-run; then
		systemd-run --quiet --collect --unit=oust-restart "$SHELL_" "$1" </dev/null >/dev/null 2>&1 && return
		# --collect is new in systemd 236.
		systemd-run --unit=oust-restart "$SHELL_" "$1" </dev/null >/dev/null 2>&1 && return
	fi
	if have setsid; then
		setsid "$SHELL_" "$1" </dev/null >/dev/null 2>&1 &
	else
		set -m 2>/dev/null
		nohup "$SHELL_" "$1" </dev/null >/dev/null 2>&1 &
		set +m 2>/dev/null
	fi
}

# leave SECONDS TOOL WHEN: has a process restart the host. It waits until that
# process is there and, where a tool runs at once, for its first complaint.
leave() {
	rm -f "$MARK.said" "$MARK.failed" "$MARK.sh"
	err=$(stage_restart 2>&1 && printf 'restart %s %s %s\n' "$1" "$2" "$3" >>"$MARK.sh") || refuse storage "${err:-$MARK.sh could not be written}"
	detach "$MARK.sh"
	n=0
	while [ ! -e "$MARK.failed" ] && [ "$n" -lt 50 ]; do
		if mark_alive; then
			[ "$1" -eq 0 ] && [ "$n" -lt 10 ] || break
		fi
		n=$((n + 1))
		pause
	done
	if [ -e "$MARK.failed" ]; then
		said=$(cat "$MARK.failed")
		refuse tool "${said:-$2 failed and said nothing}"
	fi
	[ "$n" -lt 50 ] || refuse tool 'the process that restarts the host did not start'
}

frame_begin
need_root
[ -d "$RUNDIR" ] || refuse storage "there is no $RUNDIR"
[ "$boot" != - ] || refuse boot 'the host does not say which boot it is in'
[ "$boot" = "$WANTED" ] || answer over
if [ -e "$BASE" ] || [ -h "$BASE" ]; then
	check_base
fi
if planned; then answer pending; fi
if busy; then refuse busy "$why"; fi
count_users
[ "$users" -eq 0 ] || delay=$((MINUTES * 60))
tool=
for name in shutdown reboot systemctl; do
	if [ -z "$tool" ] && have "$name"; then tool=$name; fi
done
[ -n "$tool" ] || refuse tool 'the host has neither shutdown nor reboot'
frame_asking
printf 'boot %s\nusers %s\ndelay %s\n' "$boot" "$users" "$delay"
if [ "$delay" -eq 0 ]; then
	leave "$SOON" "$tool" now
elif [ "$tool" != shutdown ]; then
	if have wall; then printf '%s\n' "$MESSAGE" | wall >/dev/null 2>&1; fi
	leave "$delay" "$tool"
elif [ -d "$SYSTEMD" ]; then
	# systemd's returns at once, others stay until the time has come.
	said=$(shut_down "+$MINUTES" 2>&1 </dev/null) || refuse tool "${said:-shutdown failed and said nothing}"
else
	leave 0 shutdown "+$MINUTES"
fi
answer scheduled
