// Package ledger is the tamper-evident log of a campaign: records in a Merkle
// tree (RFC 6962, through golang.org/x/mod/sumdb/tlog) whose heads are signed
// notes. It encodes records, grows the tree, signs heads, and checks all of
// it. Where records are kept is a store's business.
package ledger
