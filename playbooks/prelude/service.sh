# stop_service NAME...: stops services and keeps them from starting again.
stop_service() {
	found=absent
	for name; do stop_one "$name" || return; done
	finish "$found" 0
}

# stop_one NAME: fails after it has recorded a failure.
stop_one() {
	run systemctl --no-ask-password stop "$1.service"
	if [ "$rc" -eq 127 ] || { [ "$rc" -ne 0 ] && said '*not been booted with systemd*'; }; then
		[ -x "/etc/init.d/$1" ] || return 0
		run "/etc/init.d/$1" stop
		[ "$rc" -eq 0 ] || { finish failed "$rc" "$1 did not stop"; return 1; }
		found=ok
		return 0
	fi
	# 5: systemd knows no such unit (systemctl(1), exit status).
	[ "$rc" -ne 5 ] || return 0
	[ "$rc" -eq 0 ] || { finish failed "$rc" "$1 did not stop"; return 1; }
	run systemctl --no-ask-password disable "$1.service"
	[ "$rc" -eq 0 ] || { finish failed "$rc" "$1 stopped and could not be disabled"; return 1; }
	found=ok
}
