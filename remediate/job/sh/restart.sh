# The process that restarts the host, with no session and no input. Set before:
# what busy.sh needs, and MARK, MESSAGE.

# mark_alive: does who made the mark live?
mark_alive() {
	m_mark=$(readlink "$MARK" 2>/dev/null) || return 1
	m_rest=${m_mark#* }
	alive "${m_mark%% *}" "${m_rest%% *}" "${m_rest#* }"
}

# shut_down WHEN: shutdown(8), with the message if there is one.
shut_down() {
	set -- -r "$1"
	[ -z "$MESSAGE" ] || set -- "$@" "$MESSAGE"
	shutdown "$@"
}

# restart SECONDS TOOL WHEN: waits, looks once more, and restarts. The mark
# lives as long as this process.
restart() {
	cd /
	born $$
	until ln -s "$boot $$ $born" "$MARK" 2>/dev/null; do
		mark_alive && exit 1
		rm -f "$MARK" || exit 1
	done
	sleep "$1"
	if busy; then
		printf '%s' "$why" >"$MARK.said"
		false
	else
		case $2 in
		shutdown) shut_down "$3" ;;
		systemctl) systemctl reboot ;;
		*) reboot ;;
		esac >"$MARK.said" 2>&1 </dev/null
	fi
	if [ $? -ne 0 ]; then
		rm -f "$MARK"
		mv -f "$MARK.said" "$MARK.failed"
		exit 1
	fi
	# What was asked for is under way.
	sleep 120
}
