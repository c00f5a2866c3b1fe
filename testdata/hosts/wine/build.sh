#!/bin/sh
# build.sh DIR makes what Windows hosts of tests are cloned from: a wine prefix,
# the programs that stand in for those of Windows, and packages of Windows
# Installer.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=$1
export WINEPREFIX="$dir/prefix" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=" WINEARCH=win64
unset DISPLAY

# Now and then wineboot leaves a prefix in which no program starts.
for _ in 1 2 3; do
	wine wineboot -i
	wineserver -w
	if wine reg query 'HKLM\Software'; then break; fi
	wineserver -k || true
	rm -rf "$WINEPREFIX"
done
for name in launcher schtasks shutdown whoami uninst busy; do
	unicode=
	case $name in launcher | shutdown) unicode=-municode ;; esac
	# shellcheck disable=SC2086 # a flag or none
	x86_64-w64-mingw32-gcc -O1 -Wall -Werror $unicode -o "$dir/$name.exe" "$here/$name.c"
done
cp "$dir/launcher.exe" "$WINEPREFIX/drive_c/windows/launcher.exe"
for name in schtasks shutdown whoami; do
	cp "$dir/$name.exe" "$WINEPREFIX/drive_c/windows/system32/$name.exe"
	wine reg add 'HKCU\Software\Wine\DllOverrides' /v $name.exe /d native /f
done
wineserver -k || true
wineserver -w

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'a file of a product\n' >"$work/payload.bin"
cp "$here"/*.wxs "$work"
cd "$work"
x86_64-w64-mingw32-gcc -O1 -Wall -Werror -shared -o guard.dll "$here/guard.c" -lmsi
wixl -o "$dir/kes.msi" kes.wxs
wixl -a x64 -o "$dir/kes64.msi" kes64.wxs
wixl -o "$dir/klnagent.msi" klnagent.wxs
# wixl has no word for it.
msibuild "$dir/kes.msi" -q "INSERT INTO \`InstallExecuteSequence\` (\`Action\`, \`Condition\`, \`Sequence\`) VALUES ('ScheduleReboot', 'REMOVE = \"ALL\"', 6650)"
