// Package lab is a fleet of simulated Linux hosts in one process: real SSH on
// the wire, and behind it a shell (mvdan.cc/sh/v3) that runs the very scripts
// that oust sends, on a simulated operating system with an in-memory file
// tree, processes, package managers and a service manager.
//
// Nothing of the real machine is within reach of a script: every file, every
// process and every program of a host exists in this package only. What a
// simulated program does not know, it refuses; a program that is not there is
// exit code 127.
//
// A fleet can do without a wire too (Config.Offline, Fleet.Dialer): then weeks of
// it take seconds in a bubble of testing/synctest. Only a command that works
// without end and prints nothing keeps the time there from going on.
//
// Idle hosts are cheap: hosts of one kind share an immutable file tree and
// copy what they change. Faults are given by name and share, and fall on
// hosts by a seed, so that a fleet can be had again.
package lab
