// Package docs has those documents that the program hands on to others.
package docs

import _ "embed" // the documents

// Ledger describes the ledger, its heads and its bundles.
//
//go:embed ledger.md
var Ledger string

// Verify is the source of the check that shares no code with oust.
//
//go:embed verify/main.go
var Verify string
