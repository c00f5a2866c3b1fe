# stop_service NAME...: stops services and keeps them from starting again.
stop_service() {
	found=absent
	for name; do
		run systemctl --no-ask-password stop "$name.service"
		if [ "$rc" -eq 127 ] || { [ "$rc" -ne 0 ] && said '*not been booted with systemd*'; }; then
			[ -x "/etc/init.d/$name" ] || continue
			run "/etc/init.d/$name" stop
			[ "$rc" -eq 0 ] || { finish failed "$rc" "$name did not stop"; return; }
			found=ok
			continue
		fi
		# 5: systemd knows no such unit (systemctl(1), exit status).
		[ "$rc" -ne 5 ] || continue
		[ "$rc" -eq 0 ] || { finish failed "$rc" "$name did not stop"; return; }
		run systemctl --no-ask-password disable "$name.service"
		[ "$rc" -eq 0 ] || { finish failed "$rc" "$name stopped and could not be disabled"; return; }
		found=ok
	done
	finish "$found" 0
}
