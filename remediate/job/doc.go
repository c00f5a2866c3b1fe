// Package job is the detached job on a host: what launches it, finds it again
// and clears it away. What follows is about Unix hosts; for those with Windows
// see the type Windows.
//
// The package is pure. It makes sh scripts, which the caller runs on the host
// as root (remediate.ShLine, the script on standard input), and reads what
// they print. The scripts are POSIX sh: dash, bash, busybox ash and mvdan.cc/sh
// run them alike.
//
// On the host:
//
//	/var/lib/oust/                   root's, mode 0700
//	  lock -> ID/claim               the one attempt that may run now
//	  ID/                            one attempt
//	    claim -> LAUNCH/started      which launch runs it
//	    LAUNCH/                      what one launch brought
//	      job, script, secrets/NAME
//	      started, child             who runs: boot, process, start time
//	      log, log.head, result      what the script said
//	      end                        how it ended
//
// A launch writes a folder of its own, to which nothing points, and starts the
// job in it. The job's first act is the claim, a symbolic link: it is made by
// one system call that fails if it exists, and it carries with it who made it.
// So a script runs once however often it is launched, a launch that died
// half-way leaves nothing that counts, and nobody has to guess whether a claim
// without an owner is being written or was left behind. The lock is made in
// the same way; its owner is dead when its boot has passed or its process is
// gone, and then one taker, chosen by a link in the dead owner's folder, may
// remove it.
//
// A job that has ended has released the lock and removed its secrets before it
// writes its end: after that it touches nothing.
//
// Nothing on the host measures time or gives up: how long to stay is the
// caller's decision, who closes the connection and joins later.
package job
