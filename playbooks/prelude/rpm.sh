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
