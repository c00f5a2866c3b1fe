// Package inventory reads the files that say which hosts there are: CSV,
// YAML, plain lists, and the inventories of Ansible.
//
// # Formats
//
// The name's ending decides, then the text:
//
//	.csv .tsv      a table
//	.yaml .yml     ours where the key hosts holds a list, else Ansible's
//	.json          what ansible-inventory --list prints
//	.ini           an Ansible inventory in INI
//	a folder       an Ansible inventory of several files
//	anything else  begins with {                          JSON
//	               begins with --- or with a line "word:" YAML
//	               has a line [section] or key=value      Ansible INI
//	               first line names columns, or has , ;   a table
//	               else                                   a plain list
//
// A file may be UTF-8, or UTF-16 with a byte order mark; lines may end in LF,
// CRLF or CR. A file that begins with #! is a dynamic inventory script; it is
// refused and never run.
//
// A table has a header with the columns name, address, port, user, platform,
// transport, credential, site, zone, owner and tags in any order; only name is
// needed, and columns whose name begins with x- are left alone. A row may end
// before the header does, but not after it. Our YAML has the same keys:
//
//	hosts:
//	  - name: web1
//	    address: 10.0.0.5
//	    tags: [web, gold]
//	  - root@web2:2222
//
// A plain list has one [user@]host[:port] on a line.
//
// # Ansible
//
// All Ansible files of a campaign are one inventory, as with several -i, and
// their hosts come after those of other files. Values are found as
// ansible-inventory finds them (ansible-core 2.14, vars/manager.py), from
// weakest to strongest:
//
//	variables of all, then of groups, in the inventory files
//	group_vars/all, then group_vars/GROUP, beside each inventory
//	variables of the host in the inventory files, then host_vars/HOST
//
// Among groups a child is stronger than its parent; at equal depth a higher
// ansible_group_priority wins, then the later name. ansible_host, _port, _user
// and _connection become Address, Port, User and Transport, with the older
// names (ansible_ssh_host and so on) stronger, as in Ansible. Variables
// oust_site, oust_zone, oust_credential and so on set the columns of the same
// name and are stronger still. Groups but all and ungrouped become tags.
// Secrets in an inventory are never read. Templates are not evaluated, but for
// inventory_hostname and inventory_hostname_short; an encrypted value is not
// decrypted.
package inventory
