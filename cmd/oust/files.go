package main

// reservedFiles are the open files that oust needs beside its connections: the
// store, logs, known_hosts, sockets of name lookups.
const reservedFiles = 64

// connectionLimit is how many connections may exist at once so that the
// process never runs out of open files; a connection may need a second one
// for a moment, to look up a name. 0 means no limit is known.
func connectionLimit(openFiles uint64) int {
	const most = 1 << 20
	if openFiles == 0 {
		return 0
	}
	if openFiles <= reservedFiles+2 {
		return 1
	}
	return int(min((openFiles-reservedFiles)/2, most))
}
