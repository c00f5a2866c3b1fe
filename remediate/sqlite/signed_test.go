package sqlite_test

import (
	"oust/remediate/ledger"
	"oust/remediate/sqlite"
)

// signed are the options of the tests: one key in a process.
var signed = sqlite.Options{Signer: newSigner(), By: "kim@desk"}

func newSigner() *ledger.Signer {
	s, err := ledger.NewSigner("oust/test")
	if err != nil {
		panic(err)
	}
	return s
}
