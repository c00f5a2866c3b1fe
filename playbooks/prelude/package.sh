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
