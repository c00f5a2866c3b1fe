#!/bin/sh
# wine.sh builds what Windows hosts of tests are cloned from, if it is not
# there yet; wine.sh --path prints its path, or fails if it lacks.
set -eu
. "$(dirname "$0")/cache.sh"

# shellcheck disable=SC2046 # the list is meant to split
WINE=$CACHE/wine-$(recipe $(find "$here/wine" -type f | LC_ALL=C sort))

if [ "${1:-}" = --path ]; then
	[ -d "$WINE" ] || die "${WINE##*/} is not built yet: run testdata/hosts/setup.sh"
	echo "$WINE"
	exit
fi
mkdir -p "$CACHE"
exec 9>"$CACHE/lock"
flock 9
build "$WINE" "$here/wine/build.sh"
