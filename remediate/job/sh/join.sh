# Says how the job is.
frame_begin
need_root
if [ -e "$BASE" ] || [ -h "$BASE" ]; then
	check_base
fi
look
if [ "$state" = died ]; then
	rm -rf "$DIR"/*/secrets 2>/dev/null
fi
report
