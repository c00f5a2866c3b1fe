// Package probe is one look at a host in one round trip: the script that
// prints raw facts, and the parser of what it prints. The host only prints;
// all judgement is here.
package probe
