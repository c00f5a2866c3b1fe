// Package remediate holds oust's domain: hosts, facts, findings, plans,
// attempts and outcomes, with the tables of standings and failure classes.
//
// It imports the standard library only. Every other package speaks in these
// types; adapters (transports, stores, playbooks) translate into them.
package remediate
