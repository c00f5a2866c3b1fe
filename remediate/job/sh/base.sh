# What every script needs. Set before: BASE, ID, BOOTFILE; DIR is BASE/ID.

# boot: what changes at every boot and only then, "-" where the host does not
# say.
boot=-
if [ -r "$BOOTFILE" ]; then
	read -r boot <"$BOOTFILE"
elif command -v sysctl >/dev/null 2>&1; then
	boot=$(sysctl -n kern.bootsessionuuid 2>/dev/null)
fi
[ -n "$boot" ] || boot=-

# born PID: sets born to when the process started, "-" where the host does not
# say; false if there is no such process, or only its zombie.
born() {
	born=-
	case $1 in '' | *[!0-9]*) return 1 ;; esac
	kill -0 "$1" 2>/dev/null || return 1
	if [ -r "/proc/$1/stat" ]; then
		line=
		{ read -r line; } 2>/dev/null <"/proc/$1/stat"
		# Behind the name: state, then field 22 is the start (proc(5)).
		set -- ${line##*) }
		case $1 in '' | Z | X | x) return 1 ;; esac
		born=${20:--}
	elif [ ! -d /proc ]; then
		line=$(ps -o stat= -o lstart= -p "$1" 2>/dev/null) || return 0
		set -- $line
		case $1 in Z*) return 1 ;; esac
		shift
		born="$*"
	fi
}

# alive BOOT PID BORN: is that very process still there?
alive() {
	[ "$1" = "$boot" ] && born "$2" && [ "$born" = "$3" ]
}

# started FILE: reads what a job wrote before its claim; false if the file is
# not there or not whole.
started() {
	s_dot= s_launch=
	{
		read -r s_launch s_boot s_pid s_at s_id s_born
		IFS= read -r s_campaign
		IFS= read -r s_controller
		read -r s_dot
	} 2>/dev/null <"$1"
	[ "$s_dot" = . ]
}

# working FOLDER: is the job described by the last started, or the script that
# it runs, still there? The script may outlive its job.
working() {
	alive "$s_boot" "$s_pid" "$s_born" && return 0
	w_pid= w_born=
	{ read -r w_pid w_born; } 2>/dev/null <"$1/child"
	[ -n "$w_born" ] && alive "$s_boot" "$w_pid" "$w_born"
}

# break_lock OWNER: takes the lock away from a dead owner. Of all who try only
# the one whose mark is the last in the owner's folder may remove it, so that
# nobody removes the lock of the next owner; the mark of a dead taker is
# passed over. False if another taker is at it.
break_lock() {
	b_owner=$1 b_made= b_n=1
	if [ ! -d "$BASE/$b_owner" ]; then
		mkdir "$BASE/$b_owner" 2>/dev/null && b_made=1
	fi
	born $$
	b_self="$boot $$ $born"
	until ln -s "$b_self" "$BASE/$b_owner/broken.$b_n" 2>/dev/null; do
		b_mark=$(readlink "$BASE/$b_owner/broken.$b_n" 2>/dev/null) || return 1
		[ "$b_mark" != "$b_self" ] || break
		b_rest=${b_mark#* }
		alive "${b_mark%% *}" "${b_rest%% *}" "${b_rest#* }" && return 1
		b_n=$((b_n + 1))
		[ "$b_n" -lt 10 ] || return 1
	done
	if [ "$(readlink "$BASE/lock" 2>/dev/null)" = "$b_owner/claim" ]; then
		rm -f "$BASE/lock" 2>/dev/null
	fi
	if [ -n "$b_made" ]; then
		rm -rf "$BASE/$b_owner" 2>/dev/null
	fi
	return 0
}
