# Sourced by the scripts in this folder: where built roots are kept, and how
# one gets there whole or not at all.
#
# A built thing is the folder $CACHE/NAME-HASH. HASH is over the recipe that
# made it, so a changed recipe makes a new folder and never mends an old one.
# It appears by a rename when it is complete.

CACHE=${OUST_TEST_CACHE:-/var/cache/oust-test}
here=$(cd "$(dirname "$0")" && pwd)
packages=$(cd "$here/../packages" && pwd)

say() { printf '%s\n' "oust-test: $*" >&2; }
die() { say "$*"; exit 1; }

# recipe FILE... prints a hash of the files' contents and of the machine's
# release and architecture.
recipe() {
	{ . /etc/os-release; echo "$ID $VERSION_ID $(uname -m)"; cat "$@"; } | sha256sum | cut -c1-12
}

# The names of what is built, each hash taking in the recipes below it.
base_hash=$(recipe "$here/root.sh")
rpm_hash=$(recipe "$here/root.sh" "$here/rpmroot.sh")
pkg_files=$(find "$packages" -type f | LC_ALL=C sort)
# shellcheck disable=SC2086 # the list is meant to split
pkg_hash=$(recipe $pkg_files)
# shellcheck disable=SC2086
layer_hash=$(recipe "$here/root.sh" "$here/rpmroot.sh" "$here/layer.sh" $pkg_files)

DEB_ROOT=$CACHE/deb-$base_hash
RPM_LAYER=$CACHE/rpm-$rpm_hash
PACKAGES=$CACHE/packages-$pkg_hash
layer() { echo "$CACHE/layer-$1-$2-$layer_hash"; } # layer deb|rpm kesl|all

# build TARGET COMMAND... runs COMMAND with an empty folder as its last
# argument and renames that folder to TARGET when the command ended well.
build() {
	target=$1; shift
	if [ -d "$target" ]; then touch "$target"; return 0; fi
	say "building ${target##*/} (log: $CACHE/build.log)"
	mkdir -p "$CACHE"
	tmp=$(mktemp -d "$CACHE/.building.XXXXXX")
	chmod 755 "$tmp"
	if ! "$@" "$tmp" >"$CACHE/build.log" 2>&1 </dev/null; then
		tail -n 20 "$CACHE/build.log" >&2
		rm -rf --one-file-system "$tmp"
		die "building ${target##*/} failed"
	fi
	mv -T "$tmp" "$target"
}

# sweep removes what recipes of the past left and nobody used for two weeks.
sweep() {
	find "$CACHE" -mindepth 1 -maxdepth 1 -type d -name '*-*' -mtime +14 -exec rm -rf --one-file-system {} +
	find "$CACHE" -mindepth 1 -maxdepth 1 -type d -name '.building.*' -mtime +1 -exec rm -rf --one-file-system {} +
}
