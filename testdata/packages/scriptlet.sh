# Test package: carries a product's name only. See testdata/packages/README.md.
# This part stands at the head of every maintainer script; $package is set.

# fault NAME: is this fault asked for? Sets $value to what follows "NAME:".
fault() {
	[ -r /etc/oust-lab/fault ] || return 1
	while read -r word || [ -n "$word" ]; do
		case $word in
		*@"$package") word=${word%@*} ;;
		*@*) continue ;;
		esac
		case $word in
		"$1") value=; return 0 ;;
		"$1":*) value=${word#*:}; return 0 ;;
		esac
	done </etc/oust-lab/fault
	return 1
}

# before_removal ACTION runs while the product is still there.
before_removal() {
	mkdir -p /var/lib/oust-lab
	echo "$package $1" >>/var/lib/oust-lab/uninstalls
	if fault drops-network; then
		pkill -KILL -f '^sshd(-session)?: [^/]' || true # the listener's title has a path
	fi
	if fault slow; then sleep "$value"; fi
	if fault hangs; then
		while :; do sleep 3600; done
	fi
}

# after_removal runs when the product's own files are gone.
after_removal() {
	if fault postrm-fails; then
		echo "$package: cannot unload the interceptor: device or resource busy" >&2
		exit 1
	fi
	if fault needs-reboot; then
		echo "*** System restart required ***" >/run/reboot-required
	fi
}

# wipe FOLDER... removes run-time data, or leaves it when that is the fault.
wipe() {
	if fault leaves-residue || fault keeps-residue; then
		mkdir -p "/opt/kaspersky/$product/lib64" "/var/opt/kaspersky/$product/private"
		echo "left behind" >"/opt/kaspersky/$product/lib64/libinterceptor.so"
		echo "left behind" >"/var/opt/kaspersky/$product/private/storage.db"
		if fault keeps-residue; then
			mount -t tmpfs -o size=64k tmpfs "/opt/kaspersky/$product/lib64"
			mount -t tmpfs -o size=64k tmpfs "/var/opt/kaspersky/$product/private"
		fi
		return 0
	fi
	rm -rf -- "$@"
}
