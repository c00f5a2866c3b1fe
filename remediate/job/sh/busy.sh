# What must not be cut in the middle. Set before: what report.sh needs.

# locked FILE...: is one of them under a lock? Sets why.
locked() {
	[ $# -gt 0 ] && [ -r /proc/locks ] || return 1
	inodes=$(stat -c '%i %n' "$@" 2>/dev/null)
	for word in $inodes; do
		case $word in
		/*) grep -q ":$inode " /proc/locks 2>/dev/null || continue ;;
		*)
			inode=$word
			continue
			;;
		esac
		why="a package manager is at work: $word is locked"
		return 0
	done
	return 1
}

# installing: is a package manager at work? Sets why.
installing() {
	set --
	for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock \
		/lib/apk/db/lock /usr/lib/apk/db/lock; do
		[ ! -e "$file" ] || set -- "$@" "$file"
	done
	locked "$@" && return 0
	for file in /run/yum.pid /var/run/yum.pid /run/zypp.pid /var/run/zypp.pid; do
		pid=
		{ read -r pid; } 2>/dev/null <"$file"
		if [ -n "$pid" ] && [ -d "/proc/$pid" ]; then
			why="a package manager is at work: process $pid of $file"
			return 0
		fi
	done
	if [ ! -d /proc ] && pgrep -x installer >/dev/null 2>&1; then
		why='a package is being installed'
		return 0
	fi
	return 1
}

# busy: does a job run, or a package manager? Sets why.
busy() {
	for claim in "$BASE"/*/claim; do
		[ -h "$claim" ] || continue
		DIR=${claim%/claim}
		look
		if [ "$state" = running ]; then
			why="attempt ${DIR##*/} of campaign $s_campaign runs"
			return 0
		fi
	done
	why=
	installing
}
