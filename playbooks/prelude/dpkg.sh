# on_dpkg NAME...: puts into $here what dpkg has of them, if only as
# configuration.
on_dpkg() {
	here=
	list=$(dpkg-query -W -f '${binary:Package} ${Status}\n' "$@" 2>"$OUST_DIR/stderr" </dev/null)
	rc=$?
	[ "$rc" -le 1 ] || unknown dpkg-query
	# shellcheck disable=SC2086
	set -- $list
	while [ $# -ge 4 ]; do
		[ "$4" = not-installed ] || here="$here $1"
		shift 4
	done
}

dpkg_locked() { said '*locked by another process*'; }

# shellcheck disable=SC2086
purge() { unlocked dpkg_locked dpkg --purge $here; }
# shellcheck disable=SC2086
force_purge() { unlocked dpkg_locked dpkg --purge --force-remove-reinstreq $here; }
