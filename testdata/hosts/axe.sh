#!/bin/sh
# axe.sh installs what judges pages in a browser, if it is not there yet;
# axe.sh --path prints its path, or fails if it lacks.
set -eu
. "$(dirname "$0")/cache.sh"

# shellcheck disable=SC2046 # the list is meant to split
AXE=$CACHE/axe-$(recipe $(find "$here/axe" -type f | LC_ALL=C sort))

if [ "${1:-}" = --path ]; then
	[ -d "$AXE" ] || die "${AXE##*/} is not built yet: run testdata/hosts/setup.sh"
	echo "$AXE"
	exit
fi
mkdir -p "$CACHE"
exec 9>"$CACHE/lock"
flock 9
build "$AXE" "$here/axe/build.sh"
