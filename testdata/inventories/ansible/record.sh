#!/bin/sh
# Records what ansible-inventory makes of the inventories in this folder.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ANSIBLE_CONFIG=$work/ansible.cfg # the defaults, whatever this machine has
: >"$ANSIBLE_CONFIG"
export ANSIBLE_CONFIG
unset ANSIBLE_INVENTORY
record() {
	out=$1
	shift
	ansible-inventory "$@" --list >"$work/list.json"
	cp "$work/list.json" "$out"
}
record site.json -i site/hosts.ini
record site-export.json -i site/hosts.ini --export
record yaml.json -i yaml/hosts.yaml
record folder.json -i folder
record two.json -i site/hosts.ini -i folder

# What Ansible makes of its own export, as an inventory script prints it.
cp site-export.json "$work/export.json"
printf '#!/bin/sh\ncat "%s/export.json"\n' "$work" >"$work/script"
chmod 755 "$work/script"
record site-export-read.json -i "$work/script"
