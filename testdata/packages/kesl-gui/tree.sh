# tree.sh DIR: the files of the package.
set -eu
dir=$1
mkdir -p "$dir/opt/kaspersky/kesl-gui/bin" "$dir/usr/share/applications" "$dir/var/opt/kaspersky/kesl-gui"
printf '#!/bin/sh\n# Test package: carries a product'"'"'s name only.\nexit 0\n' >"$dir/opt/kaspersky/kesl-gui/bin/kesl-gui"
chmod 755 "$dir/opt/kaspersky/kesl-gui/bin/kesl-gui"
printf '[Desktop Entry]\nType=Application\nName=Test package\nExec=/opt/kaspersky/kesl-gui/bin/kesl-gui\n' >"$dir/usr/share/applications/kesl-gui.desktop"
