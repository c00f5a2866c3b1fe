#!/bin/sh
# build.sh builds what the test hosts stand on, as far as it is not there yet;
# build.sh --paths prints the paths, NAME=PATH a line, or fails if one lacks.
set -eu
. "$(dirname "$0")/cache.sh"

paths() {
	echo "deb=$DEB_ROOT"
	echo "rpm=$RPM_LAYER"
	echo "packages=$PACKAGES"
	for kind in deb rpm; do
		for set in kesl all; do echo "$kind-$set=$(layer $kind $set)"; done
	done
}

if [ "${1:-}" = --paths ]; then
	paths | while IFS='=' read -r name path; do
		[ -d "$path" ] || die "$name is not built yet: run testdata/hosts/setup.sh"
		echo "$name=$path"
	done
	exit
fi

mkdir -p "$CACHE"
exec 9>"$CACHE/lock"
flock 9

build "$DEB_ROOT" "$here/root.sh"
build "$RPM_LAYER" "$here/rpmroot.sh" "$DEB_ROOT"
build "$PACKAGES" "$packages/build.sh"
p=$PACKAGES
build "$(layer deb kesl)" "$here/layer.sh" deb "$DEB_ROOT" "$p/kesl.deb"
build "$(layer deb all)" "$here/layer.sh" deb "$DEB_ROOT" "$p/kesl.deb" "$p/kesl-gui.deb" "$p/klnagent64.deb"
build "$(layer rpm kesl)" "$here/layer.sh" rpm "$RPM_LAYER:$DEB_ROOT" "$p/kesl.rpm"
build "$(layer rpm all)" "$here/layer.sh" rpm "$RPM_LAYER:$DEB_ROOT" "$p/kesl.rpm" "$p/kesl-gui.rpm" "$p/klnagent64.rpm"
sweep
