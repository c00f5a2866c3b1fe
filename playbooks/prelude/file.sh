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
