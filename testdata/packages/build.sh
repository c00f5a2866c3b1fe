#!/bin/sh
# build.sh DIR: builds the lab packages, NAME.deb and NAME.rpm each, into DIR.
# They carry the names of products and contain nothing of them: see README.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# scriptlet prints the head that all maintainer scripts of $package share.
scriptlet() {
	printf 'set -e\npackage=%s product=%s\n' "$package" "$product"
	cat "$here/scriptlet.sh"
}

# configure prints what happens after installation: run-time data appears.
configure() {
	echo "for dir in $data; do mkdir -p \"\$dir\"; echo '$package $version-$release' >\"\$dir/state\"; done"
}

build_deb() {
	tree=$work/$package-deb
	mkdir -p "$tree/DEBIAN"
	sh "$here/$package/tree.sh" "$tree"
	{
		echo "Package: $package"
		echo "Version: $version-$release"
		echo "Architecture: all"
		echo "Maintainer: oust test lab <lab@oust.invalid>"
		[ -z "$depends" ] || echo "Depends: $depends"
		echo "Description: $summary"
	} >"$tree/DEBIAN/control"
	(cd "$tree" && find etc -type f -printf '/%p\n' 2>/dev/null | LC_ALL=C sort) >"$tree/DEBIAN/conffiles" || true
	{
		echo '#!/bin/sh'
		scriptlet
		configure
	} >"$tree/DEBIAN/postinst"
	{
		echo '#!/bin/sh'
		scriptlet
		echo 'case $1 in remove) before_removal remove ;; esac'
	} >"$tree/DEBIAN/prerm"
	{
		echo '#!/bin/sh'
		scriptlet
		echo "case \$1 in remove) after_removal ;; purge) wipe $data; rmdir /opt/kaspersky /var/opt/kaspersky /etc/opt/kaspersky /var/log/kaspersky 2>/dev/null || true ;; esac"
	} >"$tree/DEBIAN/postrm"
	chmod 755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm" "$tree/DEBIAN/postrm"
	dpkg-deb --root-owner-group -Znone --build "$tree" "$out/$package.deb"
}

# rpm has no purge: what was made at run time stays, as with many products.
build_rpm() {
	top=$work/$package-rpm
	mkdir -p "$top"
	sh "$here/$package/tree.sh" "$work/$package-tree"
	{
		echo "Name: $package"
		echo "Version: $version"
		echo "Release: $release"
		echo "Summary: $summary"
		echo "License: Apache-2.0"
		echo "BuildArch: noarch"
		[ -z "$depends" ] || echo "Requires: $depends"
		echo "AutoReqProv: no"
		printf '%%description\n%s\n' "$summary"
		printf '%%install\nmkdir -p %%{buildroot}\ncp -a %s/. %%{buildroot}/\n' "$work/$package-tree"
		printf '%%post\n'
		configure
		printf '%%preun\n'
		scriptlet | sed 's/%/%%/g'
		# rpm takes a failing %postun for a warning; only %preun can refuse.
		echo 'if [ "$1" = 0 ]; then before_removal remove; after_removal; fi'
		printf '%%postun\n'
		scriptlet | sed 's/%/%%/g'
		echo 'if [ "$1" = 0 ]; then wipe; fi'
		printf '%%files\n'
		(cd "$work/$package-tree" && find etc -type f -printf '%%config(noreplace) /%p\n' 2>/dev/null || true
			find . -type f ! -path './etc/*' -printf '/%P\n'
			find . -type d \( -path './opt/kaspersky/*' -o -path './var/opt/kaspersky/*' -o -path './var/log/kaspersky/*' \) -printf '%%dir /%P\n')
	} >"$top/$package.spec"
	rpmbuild -bb --quiet --target noarch \
		--define "_topdir $top" --define "_rpmdir $out" --define "_build_name_fmt %%{NAME}.rpm" \
		--define "_dbpath $top/db" --define "_binary_payload w0.gzdio" "$top/$package.spec"
}

for package in kesl kesl-gui klnagent64; do
	. "$here/$package/package"
	build_deb
	build_rpm
done
