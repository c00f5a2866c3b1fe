set -u
set -f
umask 077
unset DPKG_FRONTEND_LOCKED DPKG_FORCE DPKG_ROOT DPKG_ADMINDIR
LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/usr/bin:/sbin:/bin HOME=${HOME:-/root}
export LC_ALL DEBIAN_FRONTEND PATH HOME
reboot=no
if [ -z "${OUST_DIR:-}" ] || [ ! -d "$OUST_DIR" ]; then
	echo 'oust: OUST_DIR names no folder' >&2
	exit 50
fi

# begin STEP PLAYBOOK WHAT: a step whose failure ends the script.
# leftover STEP PLAYBOOK WHAT: one whose failure does not.
begin() { step=$1 playbook=$2 what=$3 soft=no; }
leftover() { begin "$@"; soft=yes; }

# record VERDICT EXIT [MORE]: writes the result line of the step.
record() {
	[ $# -lt 3 ] || what="$what: $3"
	printf '%s %s %s %s %s\n' "$step" "$1" "$2" "$playbook" "$what" >>"$OUST_DIR/result"
	printf 'oust: step %s: %s: %s (exit %s)\n' "$step" "$what" "$1" "$2"
}

# finish VERDICT EXIT [MORE]: records it, and ends the script if it must end.
finish() {
	record "$@"
	case $1 in
	ok) [ "$soft" = yes ] || changed=yes ;;
	absent) ;;
	reboot) changed=yes reboot=yes ;;
	busy) exit 30 ;;
	protected) exit 40 ;;
	unsupported) exit 60 ;;
	*) [ "$soft" = yes ] || exit 50 ;;
	esac
}

# run COMMAND...: leaves its exit code in $rc and its stderr in a file.
run() {
	umask 022
	"$@" </dev/null 2>"$OUST_DIR/stderr"
	rc=$?
	umask 077
	[ ! -s "$OUST_DIR/stderr" ] || cat "$OUST_DIR/stderr" >&2
}

# said PATTERN...: has the stderr of the last command a line like that?
said() {
	while IFS= read -r line || [ -n "$line" ]; do
		for pattern; do
			# shellcheck disable=SC2254
			case $line in $pattern) return 0 ;; esac
		done
	done <"$OUST_DIR/stderr"
	return 1
}

# meaning TABLE: what $rc means by a table such as '0=ok 75=reboot'.
meaning() {
	verdict=failed
	for entry in $1; do
		[ "${entry%%=*}" != "$rc" ] || verdict=${entry#*=}
	done
}
