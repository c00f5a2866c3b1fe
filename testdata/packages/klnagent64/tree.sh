# tree.sh DIR: the files of the package.
set -eu
dir=$1
mkdir -p "$dir/opt/kaspersky/klnagent64/bin" "$dir/opt/kaspersky/klnagent64/sbin" "$dir/etc/init.d" "$dir/lib/systemd/system" \
	"$dir/etc/opt/kaspersky/klnagent" "$dir/var/opt/kaspersky/klnagent"
for name in bin/klnagchk sbin/klnagent; do
	printf '#!/bin/sh\n# Test package: carries a product'"'"'s name only.\nexit 0\n' >"$dir/opt/kaspersky/klnagent64/$name"
	chmod 755 "$dir/opt/kaspersky/klnagent64/$name"
done
printf '#!/bin/sh\n# Test package: carries a product'"'"'s name only.\nexit 0\n' >"$dir/etc/init.d/klnagent64"
chmod 755 "$dir/etc/init.d/klnagent64"
cat >"$dir/lib/systemd/system/klnagent64.service" <<'END'
[Unit]
Description=Test package that carries a product's name only

[Service]
Type=simple
ExecStart=/opt/kaspersky/klnagent64/sbin/klnagent

[Install]
WantedBy=multi-user.target
END
echo 'server=' >"$dir/etc/opt/kaspersky/klnagent/klnagent.conf"
