# run_script TABLE TEXT: runs the text in a subshell of its own.
run_script() {
	(
		set +fu
		umask 022
		eval "$2"
	) </dev/null
	rc=$?
	meaning "$1"
	finish "$verdict" "$rc"
}
