#!/bin/sh
# keeper.sh DIR holds the test hosts of one lab. It runs in a mount namespace
# of its own (unshare --mount) and reads commands from stdin, a line each:
#
#	base NAME LOWERS    mount the layers read-only at DIR/ns/base/NAME
#	host NAME LOWERS    make a host on these layers, its tree at DIR/ns/hosts/NAME/root
#	boot NAME           start it; answers "up NAME PID", PID being its process 1,
#	                    and again each time that the host has restarted itself
#	down NAME           cut its power; its disk stays
#
# Each command is answered by a line: "ok COMMAND NAME", "up ..." or "bad ...".
# When stdin ends, or this process dies in whatever way, its hosts are killed
# and every mount is gone with the namespace: nothing is left to clean.
set -u
dir=$1
here=$(dirname "$0")
options=redirect_dir=off,metacopy=off,index=off

mount -t tmpfs -o mode=755 oust-lab "$dir/ns" || exit 1
mkdir "$dir/ns/base" "$dir/ns/hosts"
echo "ok keeper $$"

while read -r command name rest; do
	host=$dir/ns/hosts/$name
	case $command in
	base)
		base=$dir/ns/base/$name
		mkdir -p "$base"
		# An overlay wants two layers at least; the second may be empty.
		mkdir -p "$dir/ns/none"
		mount -t overlay -o "ro,lowerdir=$rest:$dir/ns/none,$options" overlay "$base" &&
			echo "ok base $name" || echo "bad base $name"
		;;
	host)
		mkdir -p "$host/upper" "$host/work" "$host/root"
		mount -t overlay -o "lowerdir=$rest,upperdir=$host/upper,workdir=$host/work,$options" overlay "$host/root" &&
			echo "ok host $name" || echo "bad host $name"
		;;
	boot)
		setpriv --pdeathsig KILL "$here/power.sh" "$host" "$name" </dev/null &
		echo $! >"$host/power"
		;;
	down)
		if [ -e "$host/power" ]; then
			read -r pid <"$host/power"
			kill -TERM "$pid" 2>/dev/null
			wait "$pid" 2>/dev/null
			rm "$host/power"
		fi
		echo "ok down $name"
		;;
	*) echo "bad $command" ;;
	esac
done
