# tree.sh DIR: the files of the package.
set -eu
dir=$1
mkdir -p "$dir/opt/kaspersky/kesl/bin" "$dir/opt/kaspersky/kesl/libexec" "$dir/opt/kaspersky/kesl/lib64" "$dir/opt/kaspersky/kesl/doc" \
	"$dir/etc/init.d" "$dir/lib/systemd/system" "$dir/etc/opt/kaspersky/kesl" \
	"$dir/var/opt/kaspersky/kesl/private" "$dir/var/log/kaspersky/kesl"
cat >"$dir/opt/kaspersky/kesl/bin/kesl-control" <<'END'
#!/bin/sh
# Test package: carries a product's name only.
case ${1:-} in
--app-info) printf 'Name: Test package\nVersion: 12.1.0.1508\n' ;;
*) exit 1 ;;
esac
END
for name in kesl kesl-supervisor; do
	printf '#!/bin/sh\n# Test package: carries a product'"'"'s name only.\nexec sleep infinity\n' >"$dir/opt/kaspersky/kesl/libexec/$name"
done
chmod 755 "$dir/opt/kaspersky/kesl/bin/kesl-control" "$dir"/opt/kaspersky/kesl/libexec/*
echo "test data" >"$dir/opt/kaspersky/kesl/lib64/libtest.so"
echo "Test package: carries a product's name only." >"$dir/opt/kaspersky/kesl/doc/README"
cat >"$dir/etc/init.d/kesl" <<'END'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          kesl
# Required-Start:    $local_fs
# Required-Stop:     $local_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Test package that carries a product's name only
### END INIT INFO
case ${1:-} in
start | stop | restart) exit 0 ;;
status) echo "kesl is not running"; exit 3 ;;
*) echo "usage: $0 start|stop|restart|status" >&2; exit 2 ;;
esac
END
chmod 755 "$dir/etc/init.d/kesl"
cat >"$dir/lib/systemd/system/kesl.service" <<'END'
[Unit]
Description=Test package that carries a product's name only

[Service]
Type=simple
ExecStart=/opt/kaspersky/kesl/libexec/kesl-supervisor

[Install]
WantedBy=multi-user.target
END
echo '[General]' >"$dir/etc/opt/kaspersky/kesl/kesl.ini"
