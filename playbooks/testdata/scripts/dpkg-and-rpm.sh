#!/bin/sh
# oust: removal of
#   Kaspersky Endpoint Security for Linux (playbook kaspersky/kesl sha256:c3a26a3d009aa744e0168241e3b883d33b7061b9abdb882537f2f01c31cbf7d7)
#   Kaspersky Security Center Network Agent (playbook kaspersky/klnagent sha256:c0838d25ef0addd3767cd79aa685006bd48fdea43afc2aadd1fda19f83f6b460)
# Steps:
#   1. purge kesl-gui kesl-gui-astra kesl kesl-astra with dpkg
#   2. erase kesl-gui kesl-gui-astra kesl kesl-astra with rpm
#   3. remove what is left in /var/opt/kaspersky/kesl
#   4. remove what is left in /var/opt/kaspersky/kesl-gui
#   5. remove what is left in /etc/opt/kaspersky/kesl
#   6. remove what is left in /var/log/kaspersky/kesl
#   7. remove what is left in /var/log/kaspersky/kesl-user
#   8. remove shared folders that are empty
#   9. erase klnagent64 klnagent with rpm
#   10. remove what is left in /var/opt/kaspersky/klnagent
#   11. remove what is left in /etc/opt/kaspersky/klnagent
#   12. remove what is left in /var/log/kaspersky/klnagent64
#   13. remove what is left in /var/log/kaspersky/klnagent
#   14. remove shared folders that are empty

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

# unlocked LOCKED COMMAND...: runs the command again while the function
# LOCKED says that another installer holds the lock, for $busy_wait seconds.
unlocked() {
	locked=$1 waited=0 pause=1
	shift
	while run "$@"; [ "$rc" -ne 0 ] && "$locked"; do
		[ "$waited" -lt "$busy_wait" ] || finish busy "$rc" "another installer held the lock for $waited s"
		[ $((waited + pause)) -le "$busy_wait" ] || pause=$((busy_wait - waited))
		echo "oust: another installer is at work; next try in $pause s"
		sleep "$pause" </dev/null
		waited=$((waited + pause)) pause=$((pause * 2))
		[ "$pause" -le 5 ] || pause=5
	done
}

# unknown TOOL: the tool could not say what is installed.
unknown() {
	[ "$rc" -ne 127 ] || finish unsupported 127 "$1 is not on this host"
	cat "$OUST_DIR/stderr" >&2
	finish failed "$rc" "$1 could not say what is installed"
}

# packages ON REMOVE TABLE NAME...: removes what the function ON finds here
# of the names, with the function REMOVE, and looks whether it is gone.
packages() {
	on=$1 remove=$2 table=$3
	shift 3
	"$on" "$@"
	[ -n "$here" ] || { finish absent 0; return; }
	"$remove"
	meaning "$table"
	code=$rc
	if [ "$verdict" = ok ]; then
		"$on" "$@"
		# The tool called it a success. The script stops here, and whoever
		# looks at the host next will find the product.
		[ -z "$here" ] || { record failed "$code" "still there:$here"; exit 0; }
	fi
	finish "$verdict" "$code"
}

# on_dpkg NAME...: puts into $here what dpkg has of them, if only as
# configuration.
on_dpkg() {
	here=
	list=$(dpkg-query -W -f '${binary:Package} ${Status}\n' "$@" 2>"$OUST_DIR/stderr" </dev/null)
	rc=$?
	[ "$rc" -le 1 ] || unknown dpkg-query
	# shellcheck disable=SC2086
	set -- $list
	while [ $# -ge 4 ]; do
		[ "$4" = not-installed ] || here="$here $1"
		shift 4
	done
}

dpkg_locked() { said '*locked by another process*'; }

# shellcheck disable=SC2086
purge() { unlocked dpkg_locked dpkg --purge $here; }
# shellcheck disable=SC2086
force_purge() { unlocked dpkg_locked dpkg --purge --force-remove-reinstreq $here; }

# on_rpm NAME...: puts into $here what rpm has of them.
on_rpm() {
	here=
	list=$(rpm -q --qf '=%{NAME}\n' "$@" 2>"$OUST_DIR/stderr" </dev/null)
	rc=$?
	if [ "$rc" -ge 126 ] || said 'error: *'; then unknown rpm; fi
	# shellcheck disable=SC2086
	set -- $list
	for word; do
		case $word in
		=*) case "$here " in *" ${word#=} "*) ;; *) here="$here ${word#=}" ;; esac ;;
		esac
	done
}

rpm_locked() {
	said "*can't create transaction lock*temporarily unavailable*" '*cannot get exclusive lock*' '*database is locked*'
}

# shellcheck disable=SC2086
erase() { unlocked rpm_locked rpm -e --allmatches $here; }

there() { [ -e "$1" ] || [ -L "$1" ]; }

# linked PATH: is one of the folders above it a link? It is put into $above.
linked() {
	above=${1%/*}
	while [ -n "$above" ]; do
		[ ! -L "$above" ] || return 0
		above=${above%/*}
	done
	return 1
}

# mounted PATH: is something mounted there or below? It is put into $mount.
# The kernel writes a space in a mount point as \040 (proc_pid_mounts(5)).
mounted() {
	[ -r /proc/mounts ] || return 1
	rest=$1 spelt=
	while case $rest in *' '*) true ;; *) false ;; esac do
		spelt=$spelt${rest%%' '*}'\040' rest=${rest#*' '}
	done
	spelt=$spelt$rest
	while read -r device mount options; do
		case $mount in "$spelt" | "$spelt"/*) return 0 ;; esac
	done </proc/mounts
	return 1
}

# remove_in FOLDER NAME: removes NAME from FOLDER, having gone there. Who puts a
# link in the place of a folder after linked has looked does not change what is
# removed: it is either seen here, or the shell is where it meant to go.
remove_in() (
	cd "$1" || exit 3
	[ "$(pwd -P)" = "$1" ] || exit 3
	rm -rf -- "./$2"
)

# remove_tree PATH: removes a file, a link itself, or a folder and all in it.
remove_tree() {
	case $1 in
	*/../* | */./* | */.. | */. | *//* | */) finish failed 1 'left alone: its path is not plain' && return ;;
	/*/*) ;;
	*) finish failed 1 'left alone: its path is not deep enough' && return ;;
	esac
	if ! there "$1"; then
		finish absent 0
	elif linked "$1"; then
		finish failed 1 "left alone: $above is a link"
	elif mounted "$1"; then
		finish failed 1 "left alone: something is mounted at $mount"
	else
		run remove_in "${1%/*}" "${1##*/}"
		if [ "$rc" = 3 ]; then
			finish failed 1 "left alone: ${1%/*} cannot be entered, or is not where it should be"
		elif there "$1"; then
			finish failed "$rc"
		else
			finish ok "$rc"
		fi
	fi
}

# remove_empty FOLDER...: removes those that are empty.
remove_empty() {
	removed=
	for dir; do
		if [ -d "$dir" ] && [ ! -L "$dir" ] && ! linked "$dir" && rmdir -- "$dir" </dev/null 2>/dev/null; then
			removed="$removed $dir"
		fi
	done
	if [ -n "$removed" ]; then finish ok 0 "removed$removed"; else finish absent 0; fi
}

busy_wait=60
asked=no
[ ! -e /run/reboot-required ] || asked=yes

# Kaspersky Endpoint Security for Linux
changed=no
begin 1 kaspersky/kesl 'purge kesl-gui kesl-gui-astra kesl kesl-astra with dpkg'
packages on_dpkg purge '0=ok' kesl-gui kesl-gui-astra kesl kesl-astra
begin 2 kaspersky/kesl 'erase kesl-gui kesl-gui-astra kesl kesl-astra with rpm'
packages on_rpm erase '0=ok' kesl-gui kesl-gui-astra kesl kesl-astra
leftover 3 kaspersky/kesl 'remove what is left in /var/opt/kaspersky/kesl'
remove_tree /var/opt/kaspersky/kesl
leftover 4 kaspersky/kesl 'remove what is left in /var/opt/kaspersky/kesl-gui'
remove_tree /var/opt/kaspersky/kesl-gui
leftover 5 kaspersky/kesl 'remove what is left in /etc/opt/kaspersky/kesl'
remove_tree /etc/opt/kaspersky/kesl
leftover 6 kaspersky/kesl 'remove what is left in /var/log/kaspersky/kesl'
remove_tree /var/log/kaspersky/kesl
leftover 7 kaspersky/kesl 'remove what is left in /var/log/kaspersky/kesl-user'
remove_tree /var/log/kaspersky/kesl-user
leftover 8 kaspersky/kesl 'remove shared folders that are empty'
remove_empty /opt/kaspersky /var/opt/kaspersky /etc/opt/kaspersky /var/log/kaspersky
[ "$asked" = yes ] || [ ! -e /run/reboot-required ] || reboot=yes

# Kaspersky Security Center Network Agent
changed=no
begin 9 kaspersky/klnagent 'erase klnagent64 klnagent with rpm'
packages on_rpm erase '0=ok' klnagent64 klnagent
leftover 10 kaspersky/klnagent 'remove what is left in /var/opt/kaspersky/klnagent'
remove_tree /var/opt/kaspersky/klnagent
leftover 11 kaspersky/klnagent 'remove what is left in /etc/opt/kaspersky/klnagent'
remove_tree /etc/opt/kaspersky/klnagent
leftover 12 kaspersky/klnagent 'remove what is left in /var/log/kaspersky/klnagent64'
remove_tree /var/log/kaspersky/klnagent64
leftover 13 kaspersky/klnagent 'remove what is left in /var/log/kaspersky/klnagent'
remove_tree /var/log/kaspersky/klnagent
leftover 14 kaspersky/klnagent 'remove shared folders that are empty'
remove_empty /opt/kaspersky /var/opt/kaspersky /etc/opt/kaspersky /var/log/kaspersky

[ "$reboot" = no ] || exit 20
exit 0
