# Removes the folder of an attempt that does not run.
frame_begin
need_root
if [ -e "$BASE" ] || [ -h "$BASE" ]; then
	check_base
	look
	if [ "$state" = running ]; then
		report
		exit 0
	fi
	if [ -h "$BASE/lock" ] && [ "$(readlink "$BASE/lock")" = "$ID/claim" ]; then
		break_lock "$ID"
	fi
	if [ "$state" != absent ]; then
		err=$(rm -rf "$DIR" 2>&1) || refuse storage "$err"
	fi
	rmdir "$BASE" 2>/dev/null
fi
frame_state
printf 'state cleaned\n'
frame_end
