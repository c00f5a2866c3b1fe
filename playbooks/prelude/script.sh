# run_script TABLE TEXT: runs the text in a subshell of its own.
run_script() {
	table=$1 text=$2
	(
		set +fu
		set --
		umask 022
		eval "$text"
	) </dev/null
	rc=$?
	meaning "$table"
	finish "$verdict" "$rc"
}
