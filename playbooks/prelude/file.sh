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

# remove_tree PATH: removes a file, a link itself, or a folder and all in it.
remove_tree() {
	if ! there "$1"; then
		finish absent 0
	elif linked "$1"; then
		finish failed 1 "left alone: $above is a link"
	elif mounted "$1"; then
		finish failed 1 "left alone: something is mounted at $mount"
	else
		run rm -rf -- "$1"
		if there "$1"; then finish failed "$rc"; else finish ok "$rc"; fi
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
